package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.FolderJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model folder says about its tokenizer beside the tokenizer itself.
 *
 * @param folder the model folder
 * @param specialTokens texts of the special tokens by name, such as bos_token
 * @param chatTemplate the Jinja source of the chat template, or null
 */
record TokenizerConfig(Path folder, Map<String, String> specialTokens, String chatTemplate) {
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
   * Reads tokenizer_config.json, special_tokens_map.json and chat_template.jinja, each where it is,
   * and what a tokenizer.model says of special tokens where it is the tokenizer.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if one of them is broken
   */
  static TokenizerConfig read(Path folder) {
    JsonNode config = FolderJson.read(folder.resolve("tokenizer_config.json"));
    JsonNode map = FolderJson.read(folder.resolve("special_tokens_map.json"));
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
    if (SentencePieceModel.isUsed(folder)) {
      // The classes of such tokenizers have their own names for these tokens; null turns one off.
      SentencePieceModel.read(folder)
          .specialTokens()
          .forEach(
              (name, token) -> {
                if (!config.has(name)) {
                  tokens.putIfAbsent(name, token);
                }
              });
    }
    return new TokenizerConfig(folder, tokens, template(folder, config.path("chat_template")));
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
