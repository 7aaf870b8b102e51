package dev.finetune.trainer.method;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.model.Tuning;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A saved adapter in PEFT's form, or a bottleneck adapter in ours, to run a model with. What is
 * adapted is what has tensors, so target_modules may be suffixes, whole paths or a pattern.
 */
public final class SavedAdapter {
  private final Path folder;
  private final JsonNode config;
  private final Map<String, HostTensor> tensors;

  private SavedAdapter(Path folder, JsonNode config, Map<String, HostTensor> tensors) {
    this.folder = folder;
    this.config = config;
    this.tensors = tensors;
  }

  /**
   * Reads adapter_config.json and adapter_model.safetensors.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if a file is missing or broken, or asks
   *     for what isn't supported
   */
  public static SavedAdapter load(Path folder) {
    JsonNode config = readConfig(folder.resolve("adapter_config.json"));
    Path file = folder.resolve("adapter_model.safetensors");
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, HostTensor> entry : SafetensorsReader.read(file).entrySet()) {
      HostTensor tensor = entry.getValue();
      if (!tensor.dtype().equals("F32")) {
        throw new TrainerException(
            TrainerExit.MODEL,
            "%s: %s is %s; only F32 is supported".formatted(file, entry.getKey(), tensor.dtype()));
      }
      // PEFT adds the embedding as it was where that is a target.
      if (!entry.getKey().endsWith(".base_layer.weight")) {
        tensors.put(entry.getKey(), tensor);
      }
    }
    return new SavedAdapter(folder, config, tensors);
  }

  private static JsonNode readConfig(Path file) {
    JsonNode config;
    try {
      config = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " doesn't exist", e);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.MODEL, file + " can't be read as JSON: " + e.getMessage(), e);
    }
    require(file, config, "lora_bias", "false");
    require(file, config, "fan_in_fan_out", "false");
    require(file, config, "bias", "none");
    if (config.hasNonNull("modules_to_save")) {
      throw new TrainerException(
          TrainerExit.MODEL,
          file + ": modules_to_save isn't supported, only what an adapter adds to the model is");
    }
    return config;
  }

  private static void require(Path file, JsonNode config, String key, String value) {
    String found = config.path(key).asText(value);
    if (!found.equals(value)) {
      throw new TrainerException(
          TrainerExit.MODEL, "%s: %s must be %s, but is %s".formatted(file, key, value, found));
    }
  }

  /**
   * A generator of the text of this adapter on a base model.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if the adapter doesn't fit the model
   */
  public TextGenerator on(CausalLm base) {
    String type = config.path("peft_type").asText();
    return switch (type) {
      case "LORA", "IA3", "BOTTLENECK" -> onLayers(base);
      case "PREFIX_TUNING" -> onPrefix(base);
      case "PROMPT_TUNING" -> onPrompt(base);
      default ->
          throw new TrainerException(
              TrainerExit.MODEL,
              "%s: peft_type is %s; supported are LORA, IA3, PREFIX_TUNING, PROMPT_TUNING, BOTTLENECK"
                  .formatted(folder.resolve("adapter_config.json"), type));
    };
  }

  /**
   * What this adapter makes of a base model's weights.
   *
   * @param base the checked base model
   * @throws TrainerException with {@link TrainerExit#MODEL} if it is of a kind that can't be merged
   */
  public ChangedWeights merged(ModelFolder base) {
    String type = config.path("peft_type").asText();
    if (!type.equals("LORA")) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the adapter %s can't be merged: its peft_type is %s, and only LORA is a change of weights"
              .formatted(folder, type));
    }
    Map<String, String> names = new LinkedHashMap<>();
    base.modules().forEach(layer -> names.put(layer.module(), layer.name()));
    return new LoraMerge(folder, names, tensors, this::scale);
  }

  private TextGenerator onLayers(CausalLm base) {
    Map<String, LinearLayer> modules = new LinkedHashMap<>();
    base.folder().modules().forEach(layer -> modules.put(layer.module(), layer));
    Map<String, HostTensor> named = new LinkedHashMap<>();
    Map<String, Double> scales = new LinkedHashMap<>();
    tensors.forEach(
        (fileName, tensor) -> {
          AdapterTensor place = AdapterTensor.of(fileName);
          LinearLayer layer = modules.get(place.layer());
          if (layer == null || !place.fits(tensor.shape(), layer)) {
            throw unfit(fileName, tensor, layer);
          }
          named.put(layer.name() + "." + place.kind(), tensor);
          if (place.isA()) {
            scales.put(layer.name(), scale(place.layer(), Math.toIntExact(tensor.shape()[0])));
          }
        });
    checkPairs(named);
    return TextGenerator.of(
        base, named, new Tuning(scales, config.path("activation").asText("gelu"), 0));
  }

  private TrainerException unfit(String name, HostTensor tensor, LinearLayer layer) {
    return new TrainerException(
        TrainerExit.MODEL,
        "the adapter %s doesn't fit the model: its tensor %s is %s, the model has there %s"
            .formatted(
                folder,
                name,
                Arrays.toString(tensor.shape()),
                layer == null ? "no layer" : layer.out() + " x " + layer.in()));
  }

  /** Where there is an A there is a B of the same rank, and so on. */
  private void checkPairs(Map<String, HostTensor> named) {
    named.forEach(
        (name, tensor) -> {
          String other = AdapterTensor.partner(name);
          HostTensor partner = named.get(other);
          if (other != null && (partner == null || partner.shape()[1] != tensor.shape()[0])) {
            throw new TrainerException(
                TrainerExit.MODEL,
                "the adapter %s has %s as %s, and %s is %s"
                    .formatted(
                        folder,
                        name,
                        Arrays.toString(tensor.shape()),
                        other,
                        partner == null ? "absent" : Arrays.toString(partner.shape())));
          }
        });
  }

  private TextGenerator onPrefix(CausalLm base) {
    ModelFolder model = base.folder();
    int layers = model.config().layers();
    long size = model.config().keyValueHeads() * model.config().headDim();
    HostTensor matrix = embeddings(2L * layers * size);
    return TextGenerator.of(
        base,
        PrefixFile.split(matrix, layers),
        Tuning.ofPrefix(Math.toIntExact(matrix.shape()[0])));
  }

  private TextGenerator onPrompt(CausalLm base) {
    HostTensor prompt = embeddings(base.folder().config().hiddenSize());
    return TextGenerator.of(base, Map.of(PromptMethod.NAME, prompt), Tuning.NONE);
  }

  private HostTensor embeddings(long columns) {
    HostTensor matrix = tensors.get(PrefixFile.NAME);
    if (tensors.size() != 1
        || matrix == null
        || matrix.shape().length != 2
        || matrix.shape()[1] != columns) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the adapter %s doesn't fit the model: it must hold nothing but %s with %d columns, and holds %s"
              .formatted(folder, PrefixFile.NAME, columns, tensors.keySet()));
    }
    return matrix;
  }

  /** alpha / r or alpha / sqrt(r), with alpha from alpha_pattern where a pattern of it matches. */
  private double scale(String layer, int rank) {
    Map<String, Double> patterns = new LinkedHashMap<>();
    config
        .path("alpha_pattern")
        .properties()
        .forEach(entry -> patterns.put(entry.getKey(), entry.getValue().asDouble()));
    double alpha =
        LayerPatterns.find(patterns, layer).orElse(config.path("lora_alpha").asDouble(8));
    return config.path("use_rslora").asBoolean(false) ? alpha / Math.sqrt(rank) : alpha / rank;
  }
}
