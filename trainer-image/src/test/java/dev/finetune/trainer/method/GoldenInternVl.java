package dev.finetune.trainer.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.FreezeOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A tiny InternVL with what its reference computed for it (golden/internvl/README.md). */
public final class GoldenInternVl {
  /** Rows of a micro-batch in the traces. */
  public static final int BATCH = 2;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final JsonNode data;

  /** Opens golden/internvl/NAME of the test resources. */
  public GoldenInternVl(String name) {
    folder = root().resolve(name);
    data = json("data.json");
  }

  /** The folder with the models, the rows and the pictures. */
  public static Path root() {
    return GoldenModel.resource("/golden/internvl");
  }

  /** The base model in a layout: hf or orig. */
  public Path base(String layout) {
    return folder.resolve("base_" + layout);
  }

  public Path file(String path) {
    return folder.resolve(path);
  }

  public JsonNode data() {
    return data;
  }

  public JsonNode json(String path) {
    try {
      return JSON.readTree(Files.readString(folder.resolve(path)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Map<String, HostTensor> tensors(String path) {
    return SafetensorsReader.read(folder.resolve(path));
  }

  /** A picture whose tiles the reference made. */
  private record ReferencePicture(int tiles, byte[] pixels) implements Picture {
    @Override
    public int width() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int height() {
      throw new UnsupportedOperationException();
    }

    @Override
    public String sha256() {
      return "";
    }

    @Override
    public void prefetch() {}
  }

  private Picture picture(String path) {
    // The tower of six billion has the tiles of the model whose pictures have the same size.
    Path tiles = folder.resolve("preprocess.safetensors");
    if (!Files.exists(tiles)) {
      tiles = root().resolve("tiny-internvl-qwen2/preprocess.safetensors");
    }
    String name = path.substring("images/".length());
    HostTensor tensor = SafetensorsReader.read(tiles).get(name + ".tiles");
    byte[] pixels = new byte[tensor.bytes().remaining()];
    tensor.bytes().duplicate().get(pixels);
    return new ReferencePicture((int) tensor.shape()[0], pixels);
  }

  /** The rows of train or eval, as the reference tokenised them. */
  public List<TokenizedExample> rows(String split) {
    List<TokenizedExample> rows = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(root().resolve("data/" + split + ".jsonl"))) {
        List<Picture> pictures = new ArrayList<>();
        JSON.readTree(line).path("images").forEach(path -> pictures.add(picture(path.asText())));
        JsonNode row = data.path(split).path(rows.size());
        rows.add(
            new TokenizedExample(
                split + ":" + rows.size(),
                GoldenModel.ints(row.path("input_ids")),
                GoldenModel.ints(row.path("labels")),
                pictures));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return rows;
  }

  public int padId() {
    return data.path("settings").path("pad_token_id").asInt();
  }

  /** The batch of forward.safetensors. */
  Batch forwardBatch() {
    List<TokenizedExample> rows = rows("train");
    return Batch.of(List.of(rows.get(3), rows.get(5), rows.get(0)), padId());
  }

  /** Micro-batch k of the traces. */
  Batch trainBatch(int k) {
    List<TokenizedExample> rows = rows("train");
    return Batch.of(
        IntStream.range(0, BATCH).mapToObj(i -> rows.get((k * BATCH + i) % rows.size())).toList(),
        padId());
  }

  Batch evalBatch() {
    return Batch.of(rows("eval"), padId());
  }

  /** The recipe of a trace. */
  static Recipe recipe(String variant, boolean recompute) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("method.lora", GoldenModel.lora(0.0, LoraVariant.STANDARD, "all-linear"));
    settings.put("model.freeze", freeze(variant));
    return GoldenModel.recipe(settings, 0.0, 0.0, recompute);
  }

  private static FreezeOptions freeze(String variant) {
    return switch (variant.substring(variant.lastIndexOf('_') + 1)) {
      case "llm" -> new FreezeOptions(false, true, true);
      case "default" -> new FreezeOptions(null, null, null);
      case "all" -> new FreezeOptions(false, false, false);
      default -> throw new IllegalArgumentException(variant);
    };
  }
}
