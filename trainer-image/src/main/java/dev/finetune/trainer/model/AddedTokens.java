package dev.finetune.trainer.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** The tokens that a model folder adds to its tokenizer's vocabulary, read without a tokenizer. */
public final class AddedTokens {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOKENIZER = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String IDS = "added_tokens.json";

  private AddedTokens() {}

  /**
   * The id of an added token.
   *
   * @param folder the model folder
   * @param token its text
   * @return empty where the folder adds no token of that text
   * @throws TrainerException with {@link TrainerExit#MODEL} if a file that would say so is broken
   */
  public static OptionalInt id(Path folder, String token) {
    Path tokenizer = folder.resolve(TOKENIZER);
    Collection<AddedToken> added =
        Files.exists(tokenizer) ? ofTokenizer(tokenizer) : ofConfiguration(folder, Set.of());
    return added.stream()
        .filter(each -> each.content().equals(token))
        .mapToInt(AddedToken::id)
        .findFirst();
  }

  /**
   * The tokens that are added where there is no tokenizer.json, in the order of their ids: those of
   * tokenizer_config.json's added_tokens_decoder, and without such a key those of
   * added_tokens.json, as transformers has it.
   *
   * @param folder the model folder
   * @param special texts of tokens that are special although their file doesn't say so
   * @throws TrainerException with {@link TrainerExit#MODEL} if one of the files is broken
   */
  public static List<AddedToken> ofConfiguration(Path folder, Set<String> special) {
    Path config = folder.resolve(CONFIG);
    JsonNode decoder = FolderJson.read(config).path("added_tokens_decoder");
    List<AddedToken> tokens = new ArrayList<>();
    if (decoder.isObject()) {
      decoder
          .properties()
          .forEach(
              token ->
                  tokens.add(
                      read(config, number(config, token.getKey()), token.getValue(), special)));
    } else {
      Path ids = folder.resolve(IDS);
      FolderJson.read(ids)
          .properties()
          .forEach(
              token ->
                  tokens.add(
                      AddedToken.plain(
                          number(ids, token.getValue().asText()),
                          token.getKey(),
                          special.contains(token.getKey()))));
    }
    tokens.sort(Comparator.comparingInt(AddedToken::id));
    return tokens;
  }

  /** Reads no further than added_tokens, which stands before the vocabulary. */
  private static List<AddedToken> ofTokenizer(Path file) {
    List<AddedToken> tokens = new ArrayList<>();
    try (JsonParser parser = JSON.createParser(file.toFile())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw invalid(file, "isn't a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (!name.equals("added_tokens")) {
          parser.skipChildren();
          continue;
        }
        JsonNode added = JSON.readTree(parser);
        added.forEach(
            token ->
                tokens.add(read(file, number(file, token.path("id").asText()), token, Set.of())));
        break;
      }
    } catch (IOException e) {
      throw FolderJson.unreadable(file, e);
    }
    return tokens;
  }

  private static AddedToken read(Path file, int id, JsonNode token, Set<String> named) {
    if (!token.path("content").isTextual()) {
      throw invalid(file, "the added token " + id + " has no content");
    }
    String content = token.get("content").textValue();
    boolean special = token.path("special").asBoolean(false) || named.contains(content);
    return AddedToken.flagged(id, content, special, token);
  }

  private static int number(Path file, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw invalid(file, "'" + text + "' is no id of an added token");
    }
  }

  private static TrainerException invalid(Path file, String what) {
    return new TrainerException(
        TrainerExit.MODEL, file + ": " + what + "; download it again or save it anew");
  }
}
