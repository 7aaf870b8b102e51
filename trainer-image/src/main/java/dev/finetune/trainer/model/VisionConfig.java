package dev.finetune.trainer.model;

/**
 * The sizes of an InternViT vision tower and of the projector behind it, from either form of an
 * InternVL config.json.
 *
 * @param layers number of encoder layers
 * @param hidden size of the tower's hidden states, Cv
 * @param inner size of its MLP
 * @param heads of its attention
 * @param imageSize pixels of a tile's side
 * @param patchSize pixels of a patch's side
 * @param eps what its norms add
 * @param rootMeanSquare whether its norms are root mean square ones, without a bias
 * @param queryKeyNorm whether q and k have norms, each over all heads
 * @param attentionBias whether q, k and v have biases
 * @param fused whether q, k and v are one linear layer
 * @param text size of the language model's hidden states, C
 */
public record VisionConfig(
    int layers,
    long hidden,
    long inner,
    long heads,
    long imageSize,
    long patchSize,
    double eps,
    boolean rootMeanSquare,
    boolean queryKeyNorm,
    boolean attentionBias,
    boolean fused,
    long text) {
  private static final String VISION = "vision_config";

  /**
   * Reads a configuration.
   *
   * @param root of the whole model
   * @throws dev.finetune.trainer.TrainerException with MODEL, naming a setting that isn't supported
   */
  static VisionConfig of(ModelConfig root) {
    boolean original = root.architecture().equals(InternVl.ORIGINAL);
    ModelConfig vision = root.within(VISION);
    root.require("downsample_ratio", 0.5);
    vision.require("hidden_act", "gelu");
    if (original) {
      root.require("ps_version", "v2");
      root.require("select_layer", -1);
      root.require("pad2square", false);
    } else {
      root.require("vision_feature_layer", -1);
      root.require("vision_feature_select_strategy", "default");
      root.require("projector_hidden_act", "gelu");
      vision.require("use_absolute_position_embeddings", true);
    }
    String norm = vision.text("norm_type", original ? "rms_norm" : "layer_norm");
    if (!norm.equals("rms_norm") && !norm.equals("layer_norm")) {
      throw vision.invalid("norm_type", "must be layer_norm or rms_norm, but is " + norm);
    }
    VisionConfig config =
        new VisionConfig(
            vision.layers(),
            vision.hiddenSize(),
            vision.whole("intermediate_size"),
            vision.heads(),
            vision.side("image_size"),
            vision.side("patch_size"),
            vision.number("layer_norm_eps", 1e-6),
            norm.equals("rms_norm"),
            vision.flag(original ? "qk_normalization" : "use_qk_norm", original),
            vision.flag(original ? "qkv_bias" : "attention_bias", false),
            original,
            root.within(original ? "llm_config" : "text_config").hiddenSize());
    if (original && root.whole("force_image_size", config.imageSize) != config.imageSize) {
      throw root.invalid(
          "force_image_size",
          "must be vision_config's image_size %d, for the table of positions isn't resized"
              .formatted(config.imageSize));
    }
    if (config.imageSize % (2 * config.patchSize) != 0) {
      throw vision.invalid("image_size", "must be a multiple of two patches");
    }
    return config;
  }

  /** Patches along a tile's side. */
  public long grid() {
    return imageSize / patchSize;
  }

  /** Positions of a tile in the tower: a class token, and the patches. */
  public long tokens() {
    return 1 + grid() * grid();
  }

  /** Positions of a tile in the text: pixel shuffle joins four patches. */
  public long tokensPerTile() {
    return grid() * grid() / 4;
  }
}
