package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model folder says about its tokenizer beside tokenizer.json.
 *
 * @param folder the model folder
 * @param specialTokens texts of the special tokens by name, such as bos_token
 * @param chatTemplate the Jinja source of the chat template, or null
 */
record TokenizerConfig(Path folder, Map<String, String> specialTokens, String chatTemplate) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /**
   * Reads tokenizer_config.json, special_tokens_map.json and chat_template.jinja, each where it is.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if one of them is broken
   */
  static TokenizerConfig read(Path folder) {
    JsonNode config = json(folder.resolve("tokenizer_config.json"));
    JsonNode map = json(folder.resolve("special_tokens_map.json"));
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String name : SPECIAL_TOKENS) {
      String token = token(config.path(name));
      if (token == null) {
        token = token(map.path(name));
      }
      if (token != null) {
        tokens.put(name, token);
      }
    }
    return new TokenizerConfig(folder, tokens, template(folder, config.path("chat_template")));
  }

  /** A JSON file of the model folder, or a missing node. */
  static JsonNode json(Path file) {
    if (!Files.exists(file)) {
      return JSON.missingNode();
    }
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.MODEL, file + " can't be read: " + firstLine(e) + "; download it again", e);
    }
  }

  /** A special token is written as a string, or as an object with its content. */
  private static String token(JsonNode node) {
    JsonNode content = node.isObject() ? node.path("content") : node;
    return content.isTextual() ? content.textValue() : null;
  }

  private static String template(Path folder, JsonNode inConfig) {
    Path file = folder.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      try {
        return Files.readString(file);
      } catch (IOException e) {
        throw new TrainerException(TrainerExit.MODEL, file + " can't be read: " + firstLine(e), e);
      }
    }
    if (inConfig.isArray()) {
      for (JsonNode named : inConfig) {
        if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
          return named.get("template").textValue();
        }
      }
    }
    return inConfig.isTextual() ? inConfig.textValue() : null;
  }

  private static String firstLine(Exception e) {
    String message = e.getMessage();
    return message == null
        ? e.getClass().getSimpleName()
        : message.lines().findFirst().orElse("").strip();
  }
}
