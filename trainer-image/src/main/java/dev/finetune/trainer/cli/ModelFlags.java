package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.RecipeFlag.onOff;
import static dev.finetune.trainer.cli.RecipeFlag.one;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The flags of the base model. */
final class ModelFlags {
  /** InternVL3 was trained with InternVL2.5's. */
  private static final Map<String, String> BUILT_IN =
      Map.of(
          "auto", "Auto",
          "chatml", "ChatML",
          "internvl2", "InternVL2",
          "internvl2_5", "InternVL2_5",
          "internvl3", "InternVL2_5",
          "llama3", "Llama3",
          "zephyr", "Zephyr");

  /** Names that ms-swift has for what a tokenizer of these models says itself. */
  private static final Set<String> OF_THE_TOKENIZER =
      Set.of(
          "default",
          "gemma",
          "gemma3_text",
          "gemma_text",
          "internlm2",
          "internvl",
          "llama",
          "llama2",
          "llama3_1",
          "llama3_2",
          "mistral",
          "mistral_nemo",
          "mistral-nemo",
          "phi3",
          "qwen",
          "qwen2",
          "qwen2_5",
          "qwen3");

  private static final FlagWords BITS =
      new FlagWords("--quant_bits", Map.of("0", "None", "4", "NF4"));

  static final List<RecipeFlag> ALL =
      List.of(
          one("model.source", FlagValues::location, "--model", "--model_id_or_path"),
          one("model.template", ModelFlags::template, "--template", "--template_type")
              .noting(values -> templateNote(values.get(0))),
          one("model.systemPrompt", FlagValues::text, "--system"),
          one("model.quantization", BITS, "--quant_bits", "--quantization_bit"),
          // ms-swift has the environment's MAX_NUM; the second name is OpenGVLab's.
          one("model.maxTiles", FlagValues::number, "--max_tiles", "--max_dynamic_patch"),
          onOff("model.freeze.languageModel", FlagValues::flag, "--freeze_llm"),
          onOff("model.freeze.projector", FlagValues::flag, "--freeze_aligner"),
          onOff("model.freeze.visionTower", FlagValues::flag, "--freeze_vit"));

  private static final ObjectMapper JSON = new ObjectMapper();

  private ModelFlags() {}

  /**
   * The chat template of a flag's word.
   *
   * @throws dev.finetune.trainer.TrainerException USAGE with the words that there are
   */
  static ChatTemplateName templateNamed(String value) {
    return JSON.convertValue(template(value), ChatTemplateName.class);
  }

  private static JsonNode template(String value) {
    Set<String> served = new TreeSet<>(BUILT_IN.keySet());
    served.addAll(OF_THE_TOKENIZER);
    FlagWords.check("--template", value, served);
    return FlagValues.text(BUILT_IN.getOrDefault(value.toLowerCase(Locale.ROOT), "Auto"));
  }

  private static Optional<String> templateNote(String value) {
    return OF_THE_TOKENIZER.contains(value.toLowerCase(Locale.ROOT))
        ? Optional.of("the chat template is the model's own, which its tokenizer comes with")
        : Optional.empty();
  }
}
