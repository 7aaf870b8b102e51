package dev.finetune.trainer.model;

/**
 * What a folder calls the weights and modules that the scripts know by names of their own. The
 * scripts' names are those of transformers' text models, and for pictures those of OpenGVLab's.
 */
interface Layout {
  /** That of a text model: the scripts' names. */
  Layout PLAIN =
      new Layout() {
        @Override
        public String file(String weight) {
          return weight;
        }

        @Override
        public String module(String path) {
          return path;
        }
      };

  /** A weight's name in the safetensors files. */
  String file(String weight);

  /** A module's path in the model in memory, by which PEFT names what is put on it. */
  String module(String path);
}
