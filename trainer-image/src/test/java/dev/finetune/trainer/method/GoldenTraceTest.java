package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Trains as PEFT did and compares every number that it recorded. */
class GoldenTraceTest {
  /** PyTorch's and our sums differ in their order: float32 rounding over 20 steps of AdamW. */
  private static final double LOSS_RELATIVE = 2e-5;

  private static final double NORM_RELATIVE = 1e-4;

  /** Of this model every method is computed with and without recomputing, and over two devices. */
  private static final String THOROUGH = "tiny-llama3";

  private static final List<String> METHODS =
      List.of("lora", "dora", "ia3", "prefix", "prompt", "full");

  private static final List<String> OTHER_VARIANTS =
      List.of(
          "rslora", "loraplus", "lora_accum4_tokens", "lora_accum4_mean", "lora_cosine_clip_wd");

  static List<Arguments> traces() {
    List<Arguments> traces = new ArrayList<>();
    for (String model : GoldenModel.names()) {
      for (String method : METHODS) {
        traces.add(Arguments.of(model, method, true, 1));
      }
      OTHER_VARIANTS.forEach(variant -> traces.add(Arguments.of(model, variant, false, 1)));
    }
    for (String method : METHODS) {
      traces.add(Arguments.of(THOROUGH, method, false, 1));
      traces.add(Arguments.of(THOROUGH, method, true, 2));
      traces.add(Arguments.of(THOROUGH, method, false, 2));
    }
    return traces;
  }

  @ParameterizedTest(name = "{0} {1} recompute={2} devices={3}")
  @MethodSource("traces")
  void everyLossNormAndTensorIsPefts(String name, String variant, boolean recompute, int devices) {
    GoldenModel golden = new GoldenModel(name);
    JsonNode trace = golden.json(variant + "/trace.json");
    Recipe recipe = GoldenModel.recipe(trace.path("hyper"), variant, recompute);
    TuningMethod method = method(recipe, ModelFolder.open(golden.base()));
    try (TrainableModel model = start(golden, variant, recipe, method, devices)) {
      double evalInit = evalLoss(golden, model);
      assertThat(evalInit).isCloseTo(trace.path("eval_loss_init").asDouble(), within(2e-5));
      AdapterComparison comparison = new AdapterComparison(largestRate(trace));
      train(golden, variant, trace, model, method, comparison);
      assertThat(evalLoss(golden, model))
          .isCloseTo(trace.path("eval_loss_final").asDouble(), within(2e-5));
      String file = variant.equals("full") ? "model" : "adapter_model";
      comparison.assertSame(
          model.adapter(), golden.tensors(variant + "/final/" + file + ".safetensors"));
    }
  }

  /** That of the recipe; the traces' AdamW has one group, whose decay is the norms' too. */
  private static TuningMethod method(Recipe recipe, ModelFolder folder) {
    return recipe.method().full() == null
        ? TuningMethod.of(recipe, folder)
        : new FullMethod(
            recipe.method().full(), folder, FrozenParts.of(null, folder), /* decayVectors= */ true);
  }

  private static double largestRate(JsonNode trace) {
    JsonNode hyper = trace.path("hyper");
    return hyper.path("lr").asDouble() * Math.max(1, hyper.path("lr_ratio").asDouble(1));
  }

  private static TrainableModel start(
      GoldenModel golden, String variant, Recipe recipe, TuningMethod method, int devices) {
    ModelFolder folder = ModelFolder.open(golden.base());
    TrainableModel model = create(method, recipe, folder, devices);
    init(variant)
        .ifPresent(
            from ->
                model.restore(
                    golden.tensors(from + "/init/adapter_model.safetensors"), model.optimizer()));
    return model;
  }

  /** A model of two layers on one device, or on two. */
  static TrainableModel create(
      TuningMethod method, Recipe recipe, ModelFolder folder, int devices) {
    return devices == 1
        ? TunedModel.create(method, recipe, folder, LayerRange.all(2), "cpu", new SingleProcess())
        : LayeredModel.create(
            method,
            recipe,
            folder,
            List.of(new LayerRange(0, 1, 2), new LayerRange(1, 2, 2)),
            List.of("cpu", "cpu"),
            new SingleProcess());
  }

  /** Whose start a variant has; empty where nothing of it is drawn. */
  private static Optional<String> init(String variant) {
    return switch (variant) {
      case "full", "ia3" -> Optional.empty();
      case "dora", "prefix", "prompt" -> Optional.of(variant);
      default -> Optional.of("lora");
    };
  }

  private static void train(
      GoldenModel golden,
      String variant,
      JsonNode trace,
      TrainableModel model,
      TuningMethod method,
      AdapterComparison comparison) {
    int window = trace.path("hyper").path("accum").asInt();
    double normTolerance =
        Math.max(NORM_RELATIVE, 3 * trace.path("noise").path("grad_norm_max_rel").asDouble());
    for (JsonNode step : trace.path("log")) {
      int s = step.path("step").asInt();
      List<Batch> batches =
          IntStream.range(s * window, (s + 1) * window).mapToObj(golden::trainBatch).toList();
      long tokens = batches.stream().mapToLong(Batch::supervisedTokens).sum();
      assertThat(tokens).isEqualTo(step.path("tokens").asLong());
      boolean mean = trace.path("hyper").path("loss_norm").asText().equals("mean");
      double loss = mean ? meanOfMeans(model, batches) : tokenMean(model, batches, tokens);
      Map<String, HostTensor> gradients =
          method.toFile(new TunedValues(gradients(model), Map.of()));
      comparison.see(gradients);
      if (s == 0 && !variant.equals("full")) {
        assertFirstGradients(golden, variant, gradients);
      }
      double norm = model.step(step.path("lr").asDouble());
      assertThat(loss)
          .as("loss of step %d", s)
          .isCloseTo(step.path("loss").asDouble(), relative(step.path("loss"), LOSS_RELATIVE));
      assertThat(norm)
          .as("gradient norm of step %d", s)
          .isCloseTo(
              step.path("grad_norm").asDouble(), relative(step.path("grad_norm"), normTolerance));
    }
  }

  /** What the trainer does: every supervised token of the window has the same weight. */
  private static double tokenMean(TrainableModel model, List<Batch> batches, long tokens) {
    return model.accumulate(batches, tokens, micro -> 0, () -> false).stream()
            .mapToDouble(TokenSums::nll)
            .sum()
        / tokens;
  }

  /**
   * A mean over micro-batches of their means, which older trainers took and this one doesn't: a
   * token weighs more the fewer its micro-batch has. The same gradient with each micro-batch's own
   * number of tokens in the place of the window's.
   */
  private static double meanOfMeans(TrainableModel model, List<Batch> batches) {
    return batches.stream()
        .mapToDouble(
            batch ->
                tokenMean(model, List.of(batch), (long) batch.supervisedTokens() * batches.size()))
        .sum();
  }

  private static org.assertj.core.data.Offset<Double> relative(JsonNode value, double tolerance) {
    return within(Math.abs(value.asDouble()) * tolerance);
  }

  private static double evalLoss(GoldenModel golden, TrainableModel model) {
    List<Batch> batches = golden.evalBatches(GoldenModel.BATCH);
    return batches.stream().mapToDouble(batch -> model.evaluate(batch).nll()).sum()
        / batches.stream().mapToLong(Batch::supervisedTokens).sum();
  }

  private static Map<String, HostTensor> gradients(TrainableModel model) {
    return model instanceof LayeredModel layered
        ? layered.gradients()
        : ((TunedModel) model).gradients();
  }

  private static void assertFirstGradients(
      GoldenModel golden, String variant, Map<String, HostTensor> gradients) {
    Map<String, HostTensor> expected = golden.tensors(variant + "/grads_step0.safetensors");
    gradients.forEach(
        (name, gradient) -> assertClose(name, gradient, expected.get(parameterName(name)), 1e-6));
  }

  /** PEFT's name of the parameter in the model, which has the adapter's name in it. */
  private static String parameterName(String fileName) {
    if (fileName.equals("prompt_embeddings")) {
      return "prompt_encoder.default.embedding.weight";
    }
    return fileName.endsWith(".weight")
        ? fileName.replace(".weight", ".default.weight")
        : fileName + ".default" + (fileName.endsWith("lora_magnitude_vector") ? ".weight" : "");
  }

  private static void assertClose(
      String name, HostTensor actual, HostTensor expected, double tolerance) {
    assertThat(actual.dtype()).isEqualTo(expected.dtype());
    assertThat(actual.shape()).as("shape of %s", name).isEqualTo(expected.shape());
    FloatBuffer values = actual.floats();
    FloatBuffer others = expected.floats();
    double largest =
        IntStream.range(0, values.limit())
            .mapToDouble(i -> Math.abs(values.get(i) - others.get(i)))
            .max()
            .orElseThrow();
    assertThat(largest).as("largest difference in %s", name).isLessThan(tolerance);
  }
}
