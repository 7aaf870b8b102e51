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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** A tiny model with what PEFT and transformers computed for it (golden/README.md). */
public final class GoldenModel {
  /** Rows of a micro-batch in the traces. */
  public static final int BATCH = 4;

  private static final List<String> NAMES =
      List.of(
          "tiny-llama",
          "tiny-llama3",
          "tiny-qwen2",
          "tiny-qwen3",
          "tiny-mistral",
          "tiny-gemma2",
          "tiny-gemma3",
          "tiny-phi3");

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

  /** The recipe of a trace: PEFT's settings of a variant (golden/scripts/golden.py). */
  public static Recipe recipe(JsonNode hyper, String variant, boolean recompute) {
    Map<String, Object> settings = new HashMap<>();
    switch (variant) {
      case "ia3" -> settings.put("method.ia3", Map.of());
      case "prefix" -> settings.put("method.prefixTuning.virtualTokens", 8);
      case "prompt" -> settings.put("method.promptTuning.virtualTokens", 8);
      case "full" -> settings.put("method.full", Map.of());
      case "rslora" ->
          settings.put("method.lora", lora(0.0, LoraVariant.RANK_STABILIZED, "all-linear"));
      case "dora" -> settings.put("method.lora", lora(0.0, LoraVariant.DORA, "all-linear"));
      default -> settings.put("method.lora", lora(0.0, LoraVariant.STANDARD, "all-linear"));
    }
    if (hyper.hasNonNull("lr_ratio")) {
      settings.put("method.lora.learningRateRatio", hyper.path("lr_ratio").asDouble());
    }
    return recipe(
        settings,
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
    return recipe(Map.of("method.lora", lora), weightDecay, maxGradNorm, recompute);
  }

  /**
   * A recipe with PyTorch's defaults of AdamW.
   *
   * @param settings the others, by the field's path
   */
  public static Recipe recipe(
      Map<String, ?> settings, double weightDecay, double maxGradNorm, boolean recompute) {
    // Sorted, so that a method's options come before one of them that differs.
    Map<String, Object> all = new TreeMap<>(settings);
    all.put("training.learningRate", 1e-3);
    all.put("training.warmupRatio", 0.0);
    all.put("training.weightDecay", weightDecay);
    all.put("training.adamBeta2", 0.999);
    all.put("training.maxGradNorm", maxGradNorm);
    all.put("training.batchSize", BATCH);
    all.put("training.gradientAccumulationSteps", 1);
    all.put("training.maxLength", 128);
    all.put("training.gradientCheckpointing", recompute);
    return RecipeFixture.of(all);
  }
}
