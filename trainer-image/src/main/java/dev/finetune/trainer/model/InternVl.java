package dev.finetune.trainer.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * InternVL2 (arXiv:2404.16821): a vision tower, a projector, and one of several language models.
 * Its folders are in OpenGVLab's own form, or in that of transformers.
 */
final class InternVl {
  /** OpenGVLab's own. */
  static final String ORIGINAL = "InternVLChatModel";

  /** That of transformers. */
  static final String TRANSFORMERS = "InternVLForConditionalGeneration";

  private static final String TIED = "tie_word_embeddings";
  private static final String VISION = "vision_model.";
  private static final String PROJECTOR = "mlp1.";

  /** Architectures of transformers' text_config, which names only its type. */
  private static final Map<String, String> TEXT_TYPES =
      Map.of(
          "llama", "LlamaForCausalLM",
          "qwen2", "Qwen2ForCausalLM",
          "qwen3", "Qwen3ForCausalLM");

  private InternVl() {}

  /** Whether config.json is that of one. */
  static boolean is(ModelConfig root) {
    return root.architecture().equals(ORIGINAL) || root.architecture().equals(TRANSFORMERS);
  }

  /**
   * The network of a configuration.
   *
   * @throws dev.finetune.trainer.TrainerException with MODEL, naming what isn't supported
   */
  static Network network(ModelConfig root) {
    VisionTower tower = new VisionTower(VisionConfig.of(root));
    if (root.architecture().equals(ORIGINAL)) {
      // OpenGVLab's code makes a head of its own, whatever the language model's configuration says.
      ModelConfig text = root.within("llm_config").with(TIED, false);
      Architecture architecture = Architectures.of(text, text.architecture());
      return new Network(architecture, text, Optional.of(tower), original(architecture));
    }
    ModelConfig text = root.within("text_config").with(TIED, root.flag(TIED, true));
    String type = text.text("model_type", "");
    return new Network(
        Architectures.of(text, TEXT_TYPES.getOrDefault(type, type)),
        text,
        Optional.of(tower),
        new Transformers());
  }

  private static Layout original(Architecture text) {
    Layout inner = text.layout();
    return new Layout() {
      @Override
      public String file(String weight) {
        return isPicture(weight) ? weight : "language_model." + inner.file(weight);
      }

      @Override
      public String module(String path) {
        return isPicture(path) ? path : "language_model." + inner.module(path);
      }
    };
  }

  private static boolean isPicture(String name) {
    return partOf(name) != ModelPart.LANGUAGE_MODEL;
  }

  /** The part that a weight or a module is of, by its name in the scripts. */
  static ModelPart partOf(String name) {
    if (name.startsWith(VISION)) {
      return ModelPart.VISION_TOWER;
    }
    return name.startsWith(PROJECTOR) ? ModelPart.PROJECTOR : ModelPart.LANGUAGE_MODEL;
  }

  /**
   * transformers' names. Its files still have those of the model before it got a wrapper, so a
   * module's path is another one than its weight's.
   */
  private static final class Transformers implements Layout {
    private static final List<Renaming> PICTURES =
        List.of(
            new Renaming("^vision_model\\.encoder\\.layers\\.", "vision_tower.encoder.layer."),
            new Renaming("^vision_model\\.", "vision_tower."),
            new Renaming("\\.embeddings\\.class_embedding$", ".embeddings.cls_token"),
            new Renaming("\\.position_embedding$", ".position_embeddings"),
            new Renaming("\\.patch_embedding\\.", ".patch_embeddings.projection."),
            new Renaming("\\.attn\\.proj\\b", ".attention.projection_layer"),
            new Renaming("\\.attn\\.", ".attention."),
            new Renaming("\\.ls([12])$", ".lambda_$1"),
            new Renaming("\\.norm1\\.", ".layernorm_before."),
            new Renaming("\\.norm2\\.", ".layernorm_after."),
            new Renaming("^mlp1\\.0\\b", "multi_modal_projector.layer_norm"),
            new Renaming("^mlp1\\.1\\b", "multi_modal_projector.linear_1"),
            new Renaming("^mlp1\\.3\\b", "multi_modal_projector.linear_2"));

    @Override
    public String file(String weight) {
      return isPicture(weight) ? Renaming.all(PICTURES, weight) : "language_model." + weight;
    }

    @Override
    public String module(String path) {
      if (isPicture(path)) {
        return "model." + Renaming.all(PICTURES, path);
      }
      return path.startsWith("model.")
          ? "model.language_model." + path.substring("model.".length())
          : path;
    }
  }
}
