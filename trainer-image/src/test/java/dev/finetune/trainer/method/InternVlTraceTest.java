package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.PictureTiles;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Looks at pictures and trains as OpenGVLab's and transformers' code did. */
class InternVlTraceTest {
  private static final double NETWORK = 1e-4;
  private static final double LOSS = 1e-5;

  /** Losses and norms are of float32 sums in another order, over ten steps of AdamW. */
  private static final double NORM_RELATIVE = 1e-4;

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "tiny-internvl-qwen2, hf",
    "tiny-internvl-qwen2, orig",
    "tiny-internvl-internlm2, hf",
    "tiny-internvl-internlm2, orig",
    "tiny-internvl-vit6b, orig"
  })
  void featuresAndLogitsAreTheReferences(String name, String layout) {
    GoldenInternVl golden = new GoldenInternVl(name);
    Map<String, HostTensor> forward = golden.tensors("forward.safetensors");
    Batch batch = golden.forwardBatch();
    ModelFolder folder = ModelFolder.open(golden.base(layout));
    try (CausalLm model = CausalLm.load(folder, "cpu", Precision.FP32);
        ScriptValue plain = model.untuned()) {
      PictureTiles tiles = model.tiles(batch.pictures(), batch.inputIds());
      HostTensor pieces = model.pieces(plain, tiles);
      assertThat(largest(pieces.floats(), forward.get("vision.projected").floats()))
          .isLessThan(NETWORK);
      HostTensor ids = model.tokens(batch.inputIds(), batch.rows(), batch.length());
      assertThat(ids.longs()).isEqualTo(forward.get("input_ids").longs());
      assertLogits(model.logits(plain, ids, tiles), forward);
    }
  }

  /** Over the recorded positions that are no padding. */
  private static void assertLogits(HostTensor logits, Map<String, HostTensor> forward) {
    HostTensor expected = forward.get("logits");
    HostTensor mask = forward.get("attention_mask");
    int last = (int) expected.shape()[1];
    int vocabulary = (int) expected.shape()[2];
    int tokens = (int) mask.shape()[1];
    FloatBuffer actual = logits.floats();
    for (int row = 0; row < expected.shape()[0]; row++) {
      for (int k = 0; k < last; k++) {
        int t = row * tokens + tokens - last + k;
        for (int v = 0; mask.longs().get(t) == 1 && v < vocabulary; v++) {
          assertThat(actual.get(t * vocabulary + v))
              .isCloseTo(
                  expected.floats().get((row * last + k) * vocabulary + v),
                  within((float) NETWORK));
        }
      }
    }
  }

  static List<Arguments> traces() {
    List<Arguments> traces = new ArrayList<>();
    for (String variant : List.of("hf_lora_llm", "hf_lora_all", "orig_lora_all")) {
      traces.add(Arguments.of("tiny-internvl-qwen2", variant, true, 1));
    }
    for (String variant :
        List.of(
            "hf_lora_llm", "hf_lora_all", "orig_lora_llm", "orig_lora_default", "orig_lora_all")) {
      traces.add(Arguments.of("tiny-internvl-internlm2", variant, true, 1));
    }
    traces.add(Arguments.of("tiny-internvl-internlm2", "orig_lora_all", false, 1));
    traces.add(Arguments.of("tiny-internvl-internlm2", "orig_lora_all", true, 2));
    traces.add(Arguments.of("tiny-internvl-internlm2", "orig_lora_default", false, 2));
    return traces;
  }

  @ParameterizedTest(name = "{0} {1} recompute={2} devices={3}")
  @MethodSource("traces")
  void everyLossNormAndTensorIsTheReferences(
      String name, String variant, boolean recompute, int devices) {
    GoldenInternVl golden = new GoldenInternVl(name);
    JsonNode trace = golden.json(variant + "/trace.json");
    try (TrainableModel model = start(golden, variant, recompute, devices)) {
      assertThat(evalLoss(golden, model))
          .isCloseTo(trace.path("eval_loss_init").asDouble(), within(LOSS));
      AdapterComparison comparison =
          new AdapterComparison(trace.path("hyper").path("lr").asDouble());
      for (JsonNode step : trace.path("log")) {
        step(golden, variant, step, model, comparison);
      }
      assertThat(evalLoss(golden, model))
          .isCloseTo(trace.path("eval_loss_final").asDouble(), within(2 * LOSS));
      comparison.assertSame(
          model.adapter(), golden.tensors(variant + "/final/adapter_model.safetensors"));
    }
  }

  private static TrainableModel start(
      GoldenInternVl golden, String variant, boolean recompute, int devices) {
    Recipe recipe = GoldenInternVl.recipe(variant, recompute);
    ModelFolder folder = ModelFolder.open(golden.base(variant.substring(0, variant.indexOf('_'))));
    TrainableModel model =
        GoldenTraceTest.create(TuningMethod.of(recipe, folder), recipe, folder, devices);
    model.restore(golden.tensors(variant + "/init/adapter_model.safetensors"), model.optimizer());
    return model;
  }

  private static void step(
      GoldenInternVl golden,
      String variant,
      JsonNode step,
      TrainableModel model,
      AdapterComparison comparison) {
    int s = step.path("step").asInt();
    Batch batch = golden.trainBatch(s);
    long tokens = batch.supervisedTokens();
    assertThat(tokens).isEqualTo(step.path("tokens").asLong());
    double loss =
        model.accumulate(List.of(batch), tokens, micro -> 0, () -> false).get(0).nll() / tokens;
    Map<String, HostTensor> gradients =
        model instanceof LayeredModel layered
            ? layered.gradients()
            : ((TunedModel) model).gradients();
    comparison.see(gradients);
    String file = variant + "/grads_step" + s + ".safetensors";
    if (golden.file(file).toFile().exists()) {
      Map<String, HostTensor> expected = golden.tensors(file);
      gradients.forEach(
          (name, gradient) ->
              assertThat(
                      largest(
                          gradient.floats(),
                          expected.get(name.replace(".weight", ".default.weight")).floats()))
                  .as("gradient of %s in step %d", name, s)
                  .isLessThan(1e-5));
    }
    double norm = model.step(step.path("lr").asDouble());
    assertThat(loss).as("loss of step %d", s).isCloseTo(step.path("loss").asDouble(), within(LOSS));
    assertThat(norm)
        .as("gradient norm of step %d", s)
        .isCloseTo(
            step.path("grad_norm").asDouble(),
            within(step.path("grad_norm").asDouble() * NORM_RELATIVE));
  }

  private static double evalLoss(GoldenInternVl golden, TrainableModel model) {
    Batch batch = golden.evalBatch();
    return model.evaluate(batch).nll() / batch.supervisedTokens();
  }

  private static double largest(FloatBuffer actual, FloatBuffer expected) {
    assertThat(actual.limit()).isEqualTo(expected.limit());
    double largest = 0;
    for (int i = 0; i < actual.limit(); i++) {
      largest = Math.max(largest, Math.abs(actual.get(i) - expected.get(i)));
    }
    return largest;
  }
}
