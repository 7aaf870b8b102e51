package dev.finetune.trainer.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Gemma 2 (arXiv:2408.00118): a norm also behind attention and behind the MLP, soft caps of
 * attention's scores and of the logits, and a sliding window in every other layer, from the first
 * on.
 */
class Gemma2 extends Decoder {
  /** What transformers takes where a key is absent; null is no window and no cap. */
  private static final long DEFAULT_WINDOW = 4096;

  private static final double DEFAULT_QUERY_SCALAR = 256;

  Gemma2() {
    this("Gemma2ForCausalLM");
  }

  /** An architecture that differs from Gemma 2's in what gemma.py knows of. */
  Gemma2(String name) {
    super(name, "gemma.py");
  }

  @Override
  String activationKey() {
    return "hidden_activation";
  }

  @Override
  String activation() {
    return "gelu_pytorch_tanh";
  }

  @Override
  List<String> norms() {
    return List.of(
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm");
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return isAttention(linear) && config.flag("attention_bias", false);
  }

  @Override
  boolean tiedByDefault() {
    return true;
  }

  @Override
  boolean capsScores(ModelConfig config) {
    return scoreCap(config).isPresent();
  }

  @Override
  boolean capsLogits(ModelConfig config) {
    return logitCap(config).isPresent();
  }

  /** Largest size of an attention score. */
  OptionalDouble scoreCap(ModelConfig config) {
    return config.positiveOrNull("attn_logit_softcapping", OptionalDouble.of(50));
  }

  /** Largest size of a logit. */
  OptionalDouble logitCap(ModelConfig config) {
    return config.positiveOrNull("final_logit_softcapping", OptionalDouble.of(30));
  }

  /** Whether a layer has the window where config.json has no layer_types. */
  boolean slides(ModelConfig config, int layer) {
    return layer % 2 == 0;
  }

  @Override
  final SlidingWindow window(ModelConfig config) {
    return SlidingWindow.inSome(
        config,
        config.wholeOrNull("sliding_window", OptionalLong.of(DEFAULT_WINDOW)),
        i -> slides(config, i));
  }

  @Override
  public void check(ModelConfig config) {
    // Where it is absent transformers takes 256 and not what the hidden size divides into.
    config.whole("head_dim");
    if (config.flag("use_bidirectional_attention", false)) {
      throw config.invalid(
          "use_bidirectional_attention", "is true, which isn't supported: text is made causally");
    }
    super.check(config);
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(super.numbers(config));
    numbers.put("hidden_size", (double) config.hiddenSize());
    numbers.put(
        "query_pre_attn_scalar", config.number("query_pre_attn_scalar", DEFAULT_QUERY_SCALAR));
    scoreCap(config).ifPresent(cap -> numbers.put("attn_logit_softcapping", cap));
    logitCap(config).ifPresent(cap -> numbers.put("final_logit_softcapping", cap));
    return numbers;
  }
}
