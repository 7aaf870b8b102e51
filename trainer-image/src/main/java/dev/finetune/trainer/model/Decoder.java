package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What the supported architectures share: an embedding, layers of attention with rotary positions
 * and of a gated MLP, a norm before each, a norm before the head. Each says what it has besides.
 */
abstract class Decoder implements Architecture {
  private final String name;
  private final List<String> scripts;

  Decoder(String name, String... scripts) {
    this.name = name;
    this.scripts = List.of(scripts);
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final List<String> scripts() {
    return scripts;
  }

  /** Key of the MLP's activation in config.json. */
  String activationKey() {
    return "hidden_act";
  }

  /** The activation that the script computes. */
  String activation() {
    return "silu";
  }

  /** Norms of a layer with weights (C), in its order. */
  List<String> norms() {
    return List.of("input_layernorm", "post_attention_layernorm");
  }

  /** Whether each head of q and k has a norm with weights (D). */
  boolean hasHeadNorms() {
    return false;
  }

  /** Whether a linear layer has a bias. */
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return false;
  }

  /** The layers that see only the last tokens. */
  SlidingWindow window(ModelConfig config) {
    return SlidingWindow.NONE;
  }

  /** Base of the rotary embedding where config.json has none. */
  double defaultRopeTheta() {
    return 10000;
  }

  /** What a norm adds to the mean square where config.json doesn't say. */
  double defaultEps() {
    return 1e-6;
  }

  /** Whether the head is the embedding's matrix where config.json doesn't say. */
  boolean tiedByDefault() {
    return false;
  }

  RopeParameters rope(ModelConfig config) {
    return RopeParameters.of(config, defaultRopeTheta());
  }

  /** Whether the scores of attention have a soft cap. */
  boolean capsScores(ModelConfig config) {
    return false;
  }

  /** Whether the logits have a soft cap. */
  boolean capsLogits(ModelConfig config) {
    return false;
  }

  @Override
  public void check(ModelConfig config) {
    String used = config.value(activationKey()).asText(activation());
    if (!used.equals(activation())) {
      throw config.invalid(activationKey(), "must be " + activation() + ", but is " + used);
    }
    if (config.heads() % config.keyValueHeads() != 0) {
      throw config.invalid("num_key_value_heads", "must divide num_attention_heads");
    }
    if (config.headDim() % 2 != 0) {
      throw config.invalid("head_dim", "must be even, for its halves are rotated");
    }
    numbers(config);
  }

  @Override
  public final boolean tiedHead(ModelConfig config) {
    return config.flag("tie_word_embeddings", tiedByDefault());
  }

  @Override
  public final Map<String, long[]> weights(ModelConfig config) {
    long[] embedding = {config.vocabularySize(), config.hiddenSize()};
    Map<String, long[]> weights = new LinkedHashMap<>();
    weights.put("model.embed_tokens.weight", embedding);
    weights.put("model.norm.weight", new long[] {config.hiddenSize()});
    for (int i = 0; i < config.layers(); i++) {
      String layer = "model.layers." + i + ".";
      norms()
          .forEach(norm -> weights.put(layer + norm + ".weight", new long[] {config.hiddenSize()}));
      if (hasHeadNorms()) {
        weights.put(layer + "self_attn.q_norm.weight", new long[] {config.headDim()});
        weights.put(layer + "self_attn.k_norm.weight", new long[] {config.headDim()});
      }
    }
    for (LinearLayer linear : linearLayers(config)) {
      weights.put(linear.name() + ".weight", new long[] {linear.out(), linear.in()});
      if (hasBias(config, linear)) {
        weights.put(linear.name() + ".bias", new long[] {linear.out()});
      }
    }
    if (!tiedHead(config)) {
      weights.put("lm_head.weight", embedding);
    }
    return weights;
  }

  @Override
  public final List<LinearLayer> linearLayers(ModelConfig config) {
    List<LinearLayer> linears = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      linears.addAll(linearLayers(config, i));
    }
    return linears;
  }

  /** The linear layers of a layer, in its order. */
  List<LinearLayer> linearLayers(ModelConfig config, int layer) {
    long hidden = config.hiddenSize();
    long inner = config.whole("intermediate_size");
    long queries = config.heads() * config.headDim();
    long keys = config.keyValueHeads() * config.headDim();
    String attention = attention(layer);
    String mlp = mlp(layer);
    return List.of(
        new LinearLayer(attention + "q_proj", layer, hidden, queries),
        new LinearLayer(attention + "k_proj", layer, hidden, keys),
        new LinearLayer(attention + "v_proj", layer, hidden, keys),
        new LinearLayer(attention + "o_proj", layer, queries, hidden),
        new LinearLayer(mlp + "gate_proj", layer, hidden, inner),
        new LinearLayer(mlp + "up_proj", layer, hidden, inner),
        new LinearLayer(mlp + "down_proj", layer, inner, hidden));
  }

  /** Those of attention, where q, k and v are one linear layer. */
  static List<LinearLayer> fusedAttention(ModelConfig config, int layer) {
    long hidden = config.hiddenSize();
    long queries = config.heads() * config.headDim();
    long keys = config.keyValueHeads() * config.headDim();
    return List.of(
        new LinearLayer(attention(layer) + "qkv_proj", layer, hidden, queries + 2 * keys),
        new LinearLayer(attention(layer) + "o_proj", layer, queries, hidden));
  }

  static String attention(int layer) {
    return "model.layers." + layer + ".self_attn.";
  }

  static String mlp(int layer) {
    return "model.layers." + layer + ".mlp.";
  }

  static boolean isAttention(LinearLayer linear) {
    return linear.name().contains(".self_attn.");
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(rope(config).numbers());
    numbers.putAll(window(config).numbers());
    numbers.put("num_hidden_layers", (double) config.layers());
    numbers.put("num_key_value_heads", (double) config.keyValueHeads());
    numbers.put("head_dim", (double) config.headDim());
    numbers.put("rms_norm_eps", config.number("rms_norm_eps", defaultEps()));
    return numbers;
  }

  @Override
  public final LayerTraits traits(ModelConfig config) {
    SlidingWindow window = window(config);
    boolean fused =
        linearLayers(config, 0).stream().anyMatch(linear -> linear.suffix().equals("qkv_proj"));
    return new LayerTraits(
        norms().size(),
        hasHeadNorms(),
        fused,
        capsScores(config),
        capsLogits(config),
        window.layers().isEmpty() ? OptionalLong.empty() : OptionalLong.of(window.tokens()));
  }
}
