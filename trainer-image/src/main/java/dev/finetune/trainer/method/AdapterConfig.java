package dev.finetune.trainer.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.trainer.model.LinearLayer;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Writes PEFT's adapter_config.json: the keys that PEFT and vLLM read and no others, since PEFT
 * before 0.14 refuses keys that it doesn't know. The keys are sorted, as PEFT sorts them.
 */
final class AdapterConfig {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private AdapterConfig() {}

  static String json(
      LoraOptions lora, List<LinearLayer> adapted, List<LinearLayer> all, Path base) {
    ObjectNode config = JSON.createObjectNode();
    config.putObject("alpha_pattern");
    config.put("base_model_name_or_path", base.toString());
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("inference_mode", true);
    config.put("init_lora_weights", true);
    putNumber(config, "lora_alpha", lora.alpha());
    config.put("lora_dropout", lora.dropout());
    config.putNull("modules_to_save");
    config.put("peft_type", "LORA");
    config.put("r", lora.rank());
    config.putObject("rank_pattern");
    config.putNull("revision");
    ArrayNode targets = config.putArray("target_modules");
    targetModules(adapted, all).forEach(targets::add);
    config.put("task_type", "CAUSAL_LM");
    config.put("use_rslora", lora.variant() == LoraVariant.RANK_STABILIZED);
    try {
      return JSON.writeValueAsString(config) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** PEFT declares alpha as an int, though it takes a float; a whole number is written as one. */
  private static void putNumber(ObjectNode config, String key, double value) {
    if (value == Math.rint(value)) {
      config.put(key, (long) value);
    } else {
      config.put(key, value);
    }
  }

  /** The suffixes, which every reader takes, where they name just these layers; else full paths. */
  private static Set<String> targetModules(List<LinearLayer> adapted, List<LinearLayer> all) {
    Set<String> suffixes =
        adapted.stream().map(LinearLayer::suffix).collect(Collectors.toCollection(TreeSet::new));
    long named = all.stream().filter(layer -> suffixes.contains(layer.suffix())).count();
    return named == adapted.size()
        ? suffixes
        : adapted.stream().map(LinearLayer::name).collect(Collectors.toCollection(TreeSet::new));
  }
}
