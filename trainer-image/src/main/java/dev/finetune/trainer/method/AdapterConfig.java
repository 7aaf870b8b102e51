package dev.finetune.trainer.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.AdapterOptions;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelConfig;
import dev.finetune.trainer.model.ModelFolder;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Writes PEFT's adapter_config.json: the keys that PEFT and vLLM read and no others, since PEFT
 * before 0.14 refuses keys that it doesn't know. The keys are sorted, as PEFT sorts them.
 */
final class AdapterConfig {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final ObjectNode config = JSON.createObjectNode();

  private AdapterConfig(String type, ModelFolder base) {
    config.put("base_model_name_or_path", base.path().toString());
    config.put("inference_mode", true);
    config.put("peft_type", type);
    config.putNull("revision");
    config.put("task_type", "CAUSAL_LM");
  }

  /**
   * Of LoRA.
   *
   * @param method knows the ranks and scales as they are saved
   */
  static String lora(
      LoraMethod method, LoraOptions lora, List<LinearLayer> adapted, ModelFolder base) {
    AdapterConfig file = new AdapterConfig("LORA", base);
    ObjectNode config = file.config;
    ObjectNode alphas = config.putObject("alpha_pattern");
    if (lora.alphaPattern() != null) {
      lora.alphaPattern()
          .forEach((pattern, alpha) -> putNumber(alphas, pattern, method.savedAlpha(alpha)));
    }
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("init_lora_weights", true);
    putNumber(config, "lora_alpha", method.savedAlpha(lora.alpha()));
    config.put("lora_dropout", lora.dropout());
    config.putNull("modules_to_save");
    config.put("r", method.savedRank(lora.rank()));
    ObjectNode ranks = config.putObject("rank_pattern");
    if (lora.rankPattern() != null) {
      lora.rankPattern().forEach((pattern, rank) -> ranks.put(pattern, method.savedRank(rank)));
    }
    file.putModules("target_modules", targetModules(adapted, base.modules()));
    if (lora.variant() == LoraVariant.DORA) {
      config.put("use_dora", true);
    }
    config.put("use_rslora", lora.variant() == LoraVariant.RANK_STABILIZED);
    return file.json();
  }

  /** Of IA3. */
  static String ia3(List<LinearLayer> scaled, List<LinearLayer> inputs, ModelFolder base) {
    AdapterConfig file = new AdapterConfig("IA3", base);
    file.config.put("fan_in_fan_out", false);
    file.config.put("init_ia3_weights", true);
    file.config.putNull("modules_to_save");
    file.putModules("feedforward_modules", targetModules(inputs, base.modules()));
    file.putModules("target_modules", targetModules(scaled, base.modules()));
    return file.json();
  }

  /** Of prefix tuning. */
  static String prefix(int virtualTokens, ModelFolder base) {
    ModelConfig model = base.config();
    long size = model.keyValueHeads() * model.headDim();
    AdapterConfig file = new AdapterConfig("PREFIX_TUNING", base);
    file.putVirtual(virtualTokens, size, model.keyValueHeads(), model.layers());
    file.config.put("encoder_hidden_size", size);
    file.config.put("prefix_projection", false);
    return file.json();
  }

  /**
   * Of prompt tuning.
   *
   * @param text what it started from; null: not a text
   */
  static String prompt(int virtualTokens, String text, ModelFolder base) {
    ModelConfig model = base.config();
    AdapterConfig file = new AdapterConfig("PROMPT_TUNING", base);
    file.putVirtual(virtualTokens, model.hiddenSize(), model.heads(), model.layers());
    file.config.put("prompt_tuning_init", text == null ? "RANDOM" : "TEXT");
    file.config.put("prompt_tuning_init_text", text);
    file.config.put("tokenizer_name_or_path", text == null ? null : base.path().toString());
    return file.json();
  }

  /** Of bottleneck adapters, which PEFT doesn't have: docs/adapter-format.md. */
  static String bottleneck(AdapterOptions options, List<LinearLayer> behind, ModelFolder base) {
    AdapterConfig file = new AdapterConfig("BOTTLENECK", base);
    file.config.put("activation", BottleneckMethod.scriptName(options.activation()));
    file.config.put("bottleneck_size", options.size());
    file.putModules("target_modules", targetModules(behind, base.modules()));
    return file.json();
  }

  private void putVirtual(int virtualTokens, long size, long heads, long layers) {
    config.put("num_attention_heads", heads);
    config.put("num_layers", layers);
    config.put("num_transformer_submodules", 1);
    config.put("num_virtual_tokens", virtualTokens);
    config.put("token_dim", size);
  }

  private void putModules(String key, Set<String> names) {
    ArrayNode array = config.putArray(key);
    names.forEach(array::add);
  }

  private String json() {
    TreeMap<String, Object> sorted = new TreeMap<>();
    config.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    try {
      return JSON.writeValueAsString(sorted) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** PEFT declares alpha as an int, though it takes a float; a whole number is written as one. */
  private static void putNumber(ObjectNode node, String key, double value) {
    if (value == Math.rint(value)) {
      node.put(key, (long) value);
    } else {
      node.put(key, value);
    }
  }

  /**
   * The last parts of their paths, which every reader takes, where they name just these layers;
   * else the last two parts; else whole paths. A number alone names layers of other kinds too.
   */
  private static Set<String> targetModules(List<LinearLayer> adapted, List<LinearLayer> all) {
    return IntStream.rangeClosed(1, 2)
        .mapToObj(parts -> names(adapted, parts))
        .filter(names -> names.stream().noneMatch(name -> Character.isDigit(name.charAt(0))))
        .filter(
            names -> all.stream().filter(layer -> isNamed(layer, names)).count() == adapted.size())
        .findFirst()
        .orElseGet(() -> names(adapted, Integer.MAX_VALUE));
  }

  private static boolean isNamed(LinearLayer layer, Set<String> names) {
    return names.stream().anyMatch(layer::isNamed);
  }

  private static Set<String> names(List<LinearLayer> layers, int parts) {
    return layers.stream()
        .map(layer -> lastParts(layer.module(), parts))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String lastParts(String path, int parts) {
    int dot = path.length();
    for (int i = 0; i < parts && dot >= 0; i++) {
      dot = path.lastIndexOf('.', dot - 1);
    }
    return path.substring(dot + 1);
  }
}
