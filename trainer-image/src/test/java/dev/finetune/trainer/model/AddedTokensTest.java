package dev.finetune.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddedTokensTest {
  private static final String CONFIG =
      """
      {"added_tokens_decoder": {
        "92546": {"content": "<IMG_CONTEXT>", "lstrip": false, "normalized": false, "rstrip": false,
                  "single_word": false, "special": true},
        "9": {"content": "<box>", "rstrip": true, "special": false}}}
      """;

  @TempDir private Path folder;

  @Test
  void anIdIsTakenFromTokenizerJsonWhereThatIsThere() throws IOException {
    write(
        "tokenizer.json",
        """
        {"version": "1.0", "truncation": {"max_length": 5}, "added_tokens": [
          {"id": 3, "content": "<s>", "special": true},
          {"id": 151671, "content": "<IMG_CONTEXT>", "special": true}], "model": {}}
        """);
    write("tokenizer_config.json", CONFIG);

    assertThat(AddedTokens.id(folder, "<IMG_CONTEXT>")).hasValue(151671);
    assertThat(AddedTokens.id(folder, "<box>")).isEmpty();
  }

  @Test
  void anIdIsTakenFromTheConfigurationWhereThereIsNoTokenizerJson() throws IOException {
    write("tokenizer_config.json", CONFIG);
    write("added_tokens.json", "{\"<IMG_CONTEXT>\": 7, \"<ref>\": 92550}");

    assertThat(AddedTokens.id(folder, "<IMG_CONTEXT>")).hasValue(92546);
    assertThat(AddedTokens.id(folder, "<ref>")).isEmpty();
  }

  @Test
  void anIdIsTakenFromAddedTokensJsonWhereNothingElseSaysOne() throws IOException {
    write("tokenizer_config.json", "{\"tokenizer_class\": \"InternLM2Tokenizer\"}");
    write("added_tokens.json", "{\"<IMG_CONTEXT>\": 7, \"<ref>\": 5}");

    assertThat(AddedTokens.id(folder, "<IMG_CONTEXT>")).hasValue(7);
    assertThat(AddedTokens.ofConfiguration(folder, Set.of("<ref>")))
        .containsExactly(
            new AddedToken(5, "<ref>", true, false, false, false, false),
            new AddedToken(7, "<IMG_CONTEXT>", false, false, false, false, true));
  }

  @Test
  void noFileMeansNoToken() {
    assertThat(AddedTokens.id(folder, "<IMG_CONTEXT>")).isEmpty();
  }

  @Test
  void theConfigurationsTokensComeInTheOrderOfTheirIdsWithTheirFlags() throws IOException {
    write("tokenizer_config.json", CONFIG);

    assertThat(AddedTokens.ofConfiguration(folder, Set.of("<box>")))
        .containsExactly(
            new AddedToken(9, "<box>", true, false, false, true, false),
            new AddedToken(92546, "<IMG_CONTEXT>", true, false, false, false, false));
  }

  @Test
  void aBrokenFileIsNamed() throws IOException {
    write("added_tokens.json", "{\"<ref>\": \"x\"}");
    assertThatThrownBy(() -> AddedTokens.id(folder, "<ref>"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("added_tokens.json: 'x' is no id of an added token");

    write(
        "tokenizer_config.json", "{\"added_tokens_decoder\": {\"one\": {\"content\": \"<ref>\"}}}");
    assertThatThrownBy(() -> AddedTokens.id(folder, "<ref>"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("tokenizer_config.json: 'one' is no id of an added token");

    write("tokenizer.json", "{\"added_tokens\": [");
    assertThatThrownBy(() -> AddedTokens.id(folder, "<ref>"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("tokenizer.json can't be read");
  }

  private void write(String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }
}
