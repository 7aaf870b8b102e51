package dev.finetune.trainer.method;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.LinearLayer;
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
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** A saved LoRA adapter in PEFT's form, to run a model with. */
public final class LoraAdapter {
  private static final String A = ".lora_A";
  private static final String B = ".lora_B";

  private final Path folder;
  private final JsonNode config;
  private final Map<String, HostTensor> tensors;

  private LoraAdapter(Path folder, JsonNode config, Map<String, HostTensor> tensors) {
    this.folder = folder;
    this.config = config;
    this.tensors = tensors;
  }

  /**
   * Reads adapter_config.json and adapter_model.safetensors. target_modules may be suffixes, whole
   * paths or a pattern; what is adapted is what has tensors.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if a file is missing or broken, or asks
   *     for what isn't supported, such as DoRA
   */
  public static LoraAdapter load(Path folder) {
    JsonNode config = readConfig(folder.resolve("adapter_config.json"));
    Path file = folder.resolve("adapter_model.safetensors");
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    SafetensorsReader.read(file)
        .forEach((name, tensor) -> tensors.put(PeftNames.scriptName(name), tensor));
    for (Map.Entry<String, HostTensor> entry : tensors.entrySet()) {
      boolean lora = entry.getKey().endsWith(A) || entry.getKey().endsWith(B);
      if (!lora
          || !entry.getValue().dtype().equals("F32")
          || entry.getValue().shape().length != 2) {
        throw new TrainerException(
            TrainerExit.MODEL,
            "%s: %s is %s %s; only lora_A and lora_B matrices of F32 are supported"
                .formatted(
                    file,
                    entry.getKey(),
                    entry.getValue().dtype(),
                    Arrays.toString(entry.getValue().shape())));
      }
    }
    return new LoraAdapter(folder, config, tensors);
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
    require(file, config, "peft_type", "LORA");
    require(file, config, "use_dora", "false");
    require(file, config, "lora_bias", "false");
    require(file, config, "fan_in_fan_out", "false");
    require(file, config, "bias", "none");
    if (config.hasNonNull("modules_to_save")) {
      throw new TrainerException(
          TrainerExit.MODEL, file + ": modules_to_save isn't supported, only LoRA matrices are");
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
    Map<String, LinearLayer> layers = new LinkedHashMap<>();
    base.folder().linearLayers().forEach(layer -> layers.put(layer.name(), layer));
    Map<String, Double> scales = new LinkedHashMap<>();
    for (String name : names()) {
      HostTensor a = tensors.get(name + A);
      HostTensor b = tensors.get(name + B);
      LinearLayer layer = layers.get(name);
      check(name, a, b, layer);
      scales.put(name, scale(name, Math.toIntExact(a.shape()[0])));
    }
    return TextGenerator.of(base, tensors, new Tuning(scales));
  }

  private Set<String> names() {
    Set<String> names = new TreeSet<>();
    tensors.keySet().forEach(name -> names.add(name.substring(0, name.length() - A.length())));
    return names;
  }

  private void check(String name, HostTensor a, HostTensor b, LinearLayer layer) {
    boolean fits =
        a != null
            && b != null
            && layer != null
            && a.shape()[1] == layer.in()
            && b.shape()[0] == layer.out()
            && a.shape()[0] == b.shape()[1];
    if (!fits) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the adapter %s doesn't fit the model: its tensors of %s are lora_A %s and lora_B %s, the"
                  .formatted(folder, name, shape(a), shape(b))
              + " model has there "
              + (layer == null ? "no linear layer" : layer.out() + " x " + layer.in()));
    }
  }

  private static String shape(HostTensor tensor) {
    return tensor == null ? "absent" : Arrays.toString(tensor.shape());
  }

  /** alpha / r or alpha / sqrt(r), with alpha from alpha_pattern where a pattern of it matches. */
  private double scale(String name, int rank) {
    double alpha = config.path("lora_alpha").asDouble(8);
    for (Map.Entry<String, JsonNode> pattern : config.path("alpha_pattern").properties()) {
      if (Pattern.matches("(.*\\.)?(" + pattern.getKey() + ")", name)) {
        alpha = pattern.getValue().asDouble();
      }
    }
    return config.path("use_rslora").asBoolean(false) ? alpha / Math.sqrt(rank) : alpha / rank;
  }
}
