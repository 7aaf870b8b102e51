package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * InternViT and the projector behind it: the names and shapes of their weights, by the names that
 * vision.py knows.
 *
 * @param config their sizes
 */
record VisionTower(VisionConfig config) {
  private static final String EMBEDDINGS = "vision_model.embeddings.";
  private static final String LAYERS = "vision_model.encoder.layers.";

  /** Four features of a patch each are joined to one before the projector. */
  private static final int JOINED = 4;

  /** Every weight with its shape. */
  Map<String, long[]> weights() {
    long c = config.hidden();
    long side = config.patchSize();
    Map<String, long[]> weights = new LinkedHashMap<>();
    weights.put(EMBEDDINGS + "class_embedding", new long[] {1, 1, c});
    weights.put(EMBEDDINGS + "patch_embedding.weight", new long[] {c, 3, side, side});
    weights.put(EMBEDDINGS + "patch_embedding.bias", new long[] {c});
    weights.put(EMBEDDINGS + "position_embedding", new long[] {1, config.tokens(), c});
    for (int i = 0; i < config.layers(); i++) {
      String layer = LAYERS + i + ".";
      weights.put(layer + "ls1", new long[] {c});
      weights.put(layer + "ls2", new long[] {c});
      for (String norm : List.of("norm1", "norm2")) {
        putNorm(weights, layer + norm, c, !config.rootMeanSquare());
      }
      if (config.queryKeyNorm()) {
        putNorm(weights, layer + "attn.q_norm", c, false);
        putNorm(weights, layer + "attn.k_norm", c, false);
      }
    }
    putNorm(weights, "mlp1.0", JOINED * c, true);
    for (LinearLayer linear : linearLayers()) {
      weights.put(linear.name() + ".weight", new long[] {linear.out(), linear.in()});
      if (config.attentionBias() || !isQueryKeyValue(linear)) {
        weights.put(linear.name() + ".bias", new long[] {linear.out()});
      }
    }
    return weights;
  }

  private static void putNorm(
      Map<String, long[]> weights, String name, long size, boolean hasBias) {
    weights.put(name + ".weight", new long[] {size});
    if (hasBias) {
      weights.put(name + ".bias", new long[] {size});
    }
  }

  private static boolean isQueryKeyValue(LinearLayer linear) {
    return linear.name().contains(".attn.") && !linear.suffix().equals("proj");
  }

  /** Every linear layer, the projector's two last. */
  List<LinearLayer> linearLayers() {
    long c = config.hidden();
    List<LinearLayer> linears = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      String layer = LAYERS + i + ".";
      if (config.fused()) {
        linears.add(new LinearLayer(layer + "attn.qkv", -1, c, 3 * c));
      } else {
        linears.add(new LinearLayer(layer + "attn.q_proj", -1, c, c));
        linears.add(new LinearLayer(layer + "attn.k_proj", -1, c, c));
        linears.add(new LinearLayer(layer + "attn.v_proj", -1, c, c));
      }
      linears.add(new LinearLayer(layer + "attn.proj", -1, c, c));
      linears.add(new LinearLayer(layer + "mlp.fc1", -1, c, config.inner()));
      linears.add(new LinearLayer(layer + "mlp.fc2", -1, config.inner(), c));
    }
    linears.add(new LinearLayer("mlp1.1", -1, JOINED * c, config.text()));
    linears.add(new LinearLayer("mlp1.3", -1, config.text(), config.text()));
    return linears;
  }

  /**
   * What the script's read_tower takes.
   *
   * @param token id of the token that stands for a piece of a picture
   * @param normalization what pictures are normalised by
   */
  Map<String, Double> numbers(int token, PictureNormalization normalization) {
    Map<String, Double> numbers = new LinkedHashMap<>(normalization.numbers());
    numbers.put("layers", (double) config.layers());
    numbers.put("heads", (double) config.heads());
    numbers.put("grid", (double) config.grid());
    numbers.put("patch", (double) config.patchSize());
    numbers.put("eps", config.eps());
    numbers.put("root_mean_square", config.rootMeanSquare() ? 1.0 : 0.0);
    numbers.put("token", (double) token);
    return numbers;
  }
}
