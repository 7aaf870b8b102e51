package dev.finetune.trainer.method;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.RecipeFixture;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** A tiny model with what PEFT and transformers computed for it (golden/README.md). */
public final class GoldenModel {
  /** Rows of a micro-batch in the traces. */
  public static final int BATCH = 4;

  private static final List<String> NAMES =
      List.of("tiny-llama", "tiny-llama3", "tiny-qwen2", "tiny-qwen3", "tiny-mistral");

  private final Path folder;
  private final JsonNode data;

  /** All of them. */
  public static List<String> names() {
    return NAMES;
  }

  /** Opens golden/NAME of the test resources. */
  public GoldenModel(String name) {
    folder = resource("/golden/" + name);
    data = json("data.json");
  }

  static Path resource(String path) {
    try {
      return Path.of(GoldenModel.class.getResource(path).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public Path base() {
    return folder.resolve("base");
  }

  public Path file(String path) {
    return folder.resolve(path);
  }

  public JsonNode data() {
    return data;
  }

  public JsonNode json(String path) {
    try {
      return new ObjectMapper().readTree(Files.readString(folder.resolve(path)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Map<String, HostTensor> tensors(String path) {
    return SafetensorsReader.read(folder.resolve(path));
  }

  public List<TokenizedExample> rows(String split) {
    List<TokenizedExample> rows = new ArrayList<>();
    for (JsonNode row : data.path(split)) {
      rows.add(
          new TokenizedExample(
              split + ":" + rows.size(), ints(row.path("input_ids")), ints(row.path("labels"))));
    }
    return rows;
  }

  public static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  public int padId() {
    return data.path("settings").path("pad_token_id").asInt();
  }

  /** Micro-batch k of the traces. */
  public Batch trainBatch(int k) {
    List<TokenizedExample> rows = rows("train");
    return Batch.of(
        IntStream.range(0, BATCH).mapToObj(i -> rows.get((k * BATCH + i) % rows.size())).toList(),
        padId());
  }

  /** The validation rows, in batches of the given size. */
  public List<Batch> evalBatches(int size) {
    List<TokenizedExample> rows = rows("eval");
    return IntStream.range(0, rows.size() / size)
        .mapToObj(k -> Batch.of(rows.subList(k * size, (k + 1) * size), padId()))
        .toList();
  }

  /** The recipe of a trace. */
  public static Recipe recipe(JsonNode hyper, LoraVariant variant, boolean recompute) {
    return recipe(
        lora(0.0, variant, "all-linear"),
        hyper.path("weight_decay").asDouble(),
        hyper.path("max_grad_norm").asDouble(0),
        recompute);
  }

  /** LoRA with the rank and alpha of the traces. */
  public static LoraOptions lora(double dropout, LoraVariant variant, String... targets) {
    return lora(16.0, dropout, variant, targets);
  }

  /** LoRA with the rank of the traces. */
  static LoraOptions lora(double alpha, double dropout, LoraVariant variant, String... targets) {
    return RecipeFixture.of(
            Map.of(
                "method.lora.rank", 8,
                "method.lora.alpha", alpha,
                "method.lora.dropout", dropout,
                "method.lora.targetModules", targets,
                "method.lora.variant", variant))
        .method()
        .lora();
  }

  /** A recipe with PyTorch's defaults of AdamW. */
  public static Recipe recipe(
      LoraOptions lora, double weightDecay, double maxGradNorm, boolean recompute) {
    return RecipeFixture.of(
        Map.of(
            "method.lora",
            lora,
            "training.learningRate",
            1e-3,
            "training.warmupRatio",
            0.0,
            "training.weightDecay",
            weightDecay,
            "training.adamBeta2",
            0.999,
            "training.maxGradNorm",
            maxGradNorm,
            "training.batchSize",
            BATCH,
            "training.gradientAccumulationSteps",
            1,
            "training.maxLength",
            128,
            "training.gradientCheckpointing",
            recompute));
  }
}
