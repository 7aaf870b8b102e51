package dev.finetune.trainer.model;

import java.util.List;
import java.util.Map;

/** A decoder-only network: the names and shapes of its weights and its TorchScript. */
interface Architecture {
  /** Its name in config.json's {@code architectures}. */
  String name();

  /** Files of its TorchScript beside this class; causal_lm.py says what they must define. */
  List<String> scripts();

  /**
   * Refuses a configuration whose result would be wrong.
   *
   * @throws dev.finetune.trainer.TrainerException naming the setting
   */
  void check(ModelConfig config);

  /** Whether the head is the embedding's matrix. */
  boolean tiedHead(ModelConfig config);

  /** The weights that the script reads, by name, with their shapes; a tied head is not one. */
  Map<String, long[]> weights(ModelConfig config);

  /** Every linear layer but the head, in the order of the network. */
  List<LinearLayer> linearLayers(ModelConfig config);

  /** What the script's read_config takes. */
  Map<String, Double> numbers(ModelConfig config);

  /** What its layers have besides their sizes. */
  LayerTraits traits(ModelConfig config);

  /** What its own folders call the weights. */
  default Layout layout() {
    return Layout.PLAIN;
  }
}
