package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.checkpoint.RunToken;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.method.AdapterComparison;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole program, from a recipe to the adapter, against what PEFT computed. */
class GoldenRunIT {
  private static final int STEPS = 20;

  @TempDir Path folder;

  static List<Arguments> traces() {
    List<Arguments> traces = new ArrayList<>();
    for (String model : List.of("tiny-qwen3", "tiny-mistral")) {
      traces.add(Arguments.of(model, "lora"));
    }
    for (String model : List.of("tiny-llama", "tiny-llama3", "tiny-qwen2")) {
      for (String variant :
          List.of("lora", "rslora", "lora_accum4_tokens", "lora_cosine_clip_wd")) {
        traces.add(Arguments.of(model, variant));
      }
    }
    return traces;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("traces")
  void everyLoggedNumberIsPefts(String model, String variant) throws IOException {
    JsonNode trace = GoldenFiles.json(model + "/" + variant + "/trace.json");

    run(model, variant, trace.path("hyper"));

    List<JsonNode> lines =
        GoldenFiles.log(folder.resolve("out")).stream().filter(line -> line.has("loss")).toList();
    assertThat(lines).hasSize(STEPS);
    JsonNode noise = trace.path("noise");
    for (JsonNode expected : trace.path("log")) {
      JsonNode line = lines.get(expected.path("step").asInt());
      double loss = expected.path("loss").asDouble();
      double norm = expected.path("grad_norm").asDouble();
      assertThat(line.path("loss").asDouble())
          .as("loss of %s", line)
          .isCloseTo(
              loss, within(Math.max(2e-5 * loss, 3 * noise.path("loss_max_abs").asDouble())));
      assertThat(line.path("gradientNorm").asDouble())
          .as("gradient norm of %s", line)
          .isCloseTo(
              norm, within(norm * Math.max(1e-4, 3 * noise.path("grad_norm_max_rel").asDouble())));
      assertThat(line.path("learningRate").asDouble())
          .isCloseTo(expected.path("lr").asDouble(), within(1e-12));
    }
    assertThat(lastEvalLoss()).isCloseTo(trace.path("eval_loss_final").asDouble(), within(2e-5));
    AdapterComparison comparison = new AdapterComparison(trace.path("hyper").path("lr").asDouble());
    comparison.see(
        SafetensorsReader.read(
            GoldenFiles.FOLDER.resolve(model).resolve(variant + "/grads_step0.safetensors")));
    comparison.assertSame(
        SafetensorsReader.read(
            folder.resolve("out/checkpoint-" + STEPS + "/adapter_model.safetensors")),
        adapter(model, variant + "/final"));
  }

  private void run(String model, String variant, JsonNode hyper) throws IOException {
    ObjectNode recipe = GoldenFiles.JSON.createObjectNode();
    recipe.putObject("model").put("source", "file://" + GoldenFiles.base(model));
    ObjectNode dataset = recipe.putObject("dataset").put("shuffle", false);
    dataset
        .putArray("train")
        .addObject()
        .put("source", "file://" + GoldenFiles.rows("train.json", 32, folder));
    dataset
        .putObject("validation")
        .putArray("sources")
        .addObject()
        .put("source", "file://" + GoldenFiles.rows("eval.json", 8, folder));
    recipe
        .putObject("method")
        .putObject("lora")
        .put("rank", 8)
        .put("alpha", 16)
        .put("dropout", 0)
        .put("variant", variant.equals("rslora") ? "RankStabilized" : "Standard");
    recipe
        .putObject("training")
        .put("epochs", 10)
        .put("maxSteps", STEPS)
        .put("learningRate", hyper.path("lr").asDouble())
        .put("schedule", hyper.path("schedule").asText().equals("cosine") ? "Cosine" : "Constant")
        .put("warmupRatio", hyper.path("warmup_steps").asDouble() / STEPS)
        .put("weightDecay", hyper.path("weight_decay").asDouble())
        .put("maxGradNorm", hyper.path("max_grad_norm").asDouble(0))
        .put("adamBeta2", 0.999)
        .put("batchSize", 4)
        .put("gradientAccumulationSteps", hyper.path("accum").asInt())
        .put("maxLength", 128)
        .put("overlong", "TruncateRight")
        .put("loggingSteps", 1);
    recipe.putObject("output").put("destination", "file://" + folder.resolve("out"));
    new FineTuning(
            ResolvedRecipe.of(recipe, path -> path),
            new Locations(folder),
            RunToken.of("here"),
            new RunListener() {},
            new GracefulStop(),
            new LocalRank(new SingleProcess(), List.of("cpu"), "here"),
            (resolved, base, rank) -> {
              TunedModel lora =
                  TunedModel.create(resolved, base, rank.devices().get(0), rank.group());
              lora.restore(adapter(model, "lora/init"), lora.optimizer());
              return lora;
            })
        .run();
  }

  private double lastEvalLoss() throws IOException {
    List<JsonNode> evaluations =
        GoldenFiles.log(folder.resolve("out")).stream()
            .filter(line -> line.has("evalLoss"))
            .toList();
    JsonNode last = evaluations.get(evaluations.size() - 1);
    assertThat(last.path("step").asInt()).isEqualTo(STEPS);
    return last.path("evalLoss").asDouble();
  }

  private static Map<String, HostTensor> adapter(String model, String path) {
    return SafetensorsReader.read(
        GoldenFiles.FOLDER.resolve(model).resolve(path).resolve("adapter_model.safetensors"));
  }
}
