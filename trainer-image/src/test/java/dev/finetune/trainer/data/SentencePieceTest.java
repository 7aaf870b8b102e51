package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.SentencePieceMerges.Merge;
import dev.finetune.trainer.data.SentencePieceModel.Kind;
import dev.finetune.trainer.data.SentencePieceModel.Piece;
import dev.finetune.trainer.model.AddedTokens;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The models of src/test/resources/sentencepiece, which make.py trained, with what it recorded of
 * transformers' fast tokenizers. These are the reference also where the sentencepiece library has
 * other ids: around special tokens, which it doesn't know, and with legacy: false, where a text
 * that begins with a space gets no second one.
 */
class SentencePieceTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path temporary;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "llama-not-legacy",
        "llama-unigram",
        "internlm2",
        "internlm2-dummy-prefix",
        "gemma",
        "unigram"
      })
  void idsOffsetsAndTextsAreThoseOfTransformersFastTokenizer(String name) throws IOException {
    SoftAssertions softly = new SoftAssertions();
    try (Tokenizer tokenizer = Tokenizer.load(folder(name))) {
      JsonNode rows = JSON.readTree(folder(name).resolve("expected.json").toFile());
      assertThat(rows.size()).isGreaterThan(40);
      for (JsonNode row : rows) {
        String text = row.get("text").textValue();
        Tokenizer.Offsets offsets = tokenizer.encodeWithOffsets(text);
        softly.assertThat(offsets.ids()).as(text).isEqualTo(ints(row.get("ids")));
        softly.assertThat(offsets.starts()).as("of " + text).isEqualTo(ints(row.get("starts")));
        softly
            .assertThat(tokenizer.encodeWithSpecialTokens(text))
            .as("around " + text)
            .isEqualTo(ints(row.get("with_special")));
        softly
            .assertThat(tokenizer.decode(offsets.ids()))
            .as("back to " + text)
            .isEqualTo(row.get("decoded").textValue());
        softly
            .assertThat(tokenizer.decode(offsets.ids(), true))
            .as("plain " + text)
            .isEqualTo(row.get("decoded_without_special").textValue());
      }
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "internlm2", "internlm2-dummy-prefix", "gemma", "unigram"})
  void textsWithoutSpecialTokensHaveTheIdsOfSentencePieceItself(String name) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(folder(name))) {
      int compared = 0;
      for (JsonNode row : JSON.readTree(folder(name).resolve("expected.json").toFile())) {
        if (!row.get("spm").isNull()) {
          assertThat(tokenizer.encode(row.get("text").textValue()))
              .as(row.toString())
              .isEqualTo(ints(row.get("spm")));
          compared++;
        }
      }
      assertThat(compared).isGreaterThan(35);
    }
  }

  @Test
  void aPreferredTokenizerJsonIsTheOnlyOneRead() throws IOException {
    Path folder = copy("llama", "tokenizer.model", "tokenizer_config.json");
    Path json = folder.resolve("tokenizer.json");
    TokenizerConfig config = TokenizerConfig.read(folder);
    SentencePieceModel model = SentencePieceModel.read(folder);
    JsonNode converted = JSON.readTree(SentencePieceConversion.of(model, config).json());
    ((ObjectNode) converted.get("model").get("vocab")).put("▁hello", 999);
    JSON.writeValue(json.toFile(), converted);

    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertThat(tokenizer.encode("hello")).containsExactly(999);
    }
  }

  @Test
  void theModelsOwnSpecialTokensCountWhereTheFolderNamesNone() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(copy("llama", "tokenizer.model"))) {
      assertThat(tokenizer.bosId()).contains(1);
      assertThat(tokenizer.textEnd()).isEqualTo(2);
      assertThat(tokenizer.padId()).isEqualTo(2);
      assertThat(tokenizer.encodeWithSpecialTokens("hello")).startsWith(1).hasSize(2);
    }
    Path folder = copy("llama", "tokenizer.model");
    write(folder, "tokenizer_config.json", "{\"bos_token\": null}");
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertThat(tokenizer.bosId()).isEmpty();
      assertThat(tokenizer.encodeWithSpecialTokens("hello")).hasSize(1);
    }
  }

  @Test
  void addPrefixSpaceTurnsTheSpaceBeforeTextsOff() throws IOException {
    Path folder = copy("llama", "tokenizer.model");
    write(
        folder,
        "tokenizer_config.json",
        "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_prefix_space\": false}");

    // The ids are transformers'.
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertThat(tokenizer.encode("hello")).containsExactly(261, 286);
      assertThat(tokenizer.encode(" hello")).containsExactly(315);
      assertThat(tokenizer.decode(new int[] {315})).isEqualTo(" hello");
    }
  }

  @Test
  void theIdOfAnAddedTokenIsKnownWithoutATokenizer() {
    Path folder = folder("internlm2");
    int id = AddedTokens.id(folder, "<IMG_CONTEXT>").orElseThrow();

    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertThat(tokenizer.encode("<IMG_CONTEXT>")).containsExactly(id);
    }
  }

  @Test
  void mergesOfHigherScoresComeFirstThenThoseOfLongerPartsThenOfLowerIds() {
    List<Piece> pieces =
        List.of(
            piece("a", -9),
            piece("b", -9),
            piece("🌊", -9),
            piece("ab", -2),
            piece("aba", -3),
            piece("ba", -3),
            piece("🌊a", -1));
    Map<String, Integer> ids =
        Map.of("a", 0, "b", 1, "🌊", 2, "ab", 3, "aba", 4, "ba", 5, "🌊a", 6);

    assertThat(SentencePieceMerges.of(pieces, ids))
        .containsExactly(
            new Merge("🌊", "a", -1),
            new Merge("a", "b", -2),
            new Merge("ab", "a", -3),
            new Merge("a", "ba", -3),
            new Merge("b", "a", -3));
  }

  @Test
  void anotherTokenizerClassIsRefused() throws IOException {
    Path folder = copy("unigram", "tokenizer.model");
    write(folder, "tokenizer_config.json", "{\"tokenizer_class\": \"T5Tokenizer\"}");
    refused(folder, "the tokenizer_class T5Tokenizer isn't one of those that are converted");

    write(folder, "tokenizer_config.json", "{\"tokenizer_class\": \"InternLM2TokenizerFast\"}");
    refused(folder, "its model type is UNIGRAM, which isn't for its tokenizer_class");
  }

  @Test
  void otherModelTypesAreRefused() throws IOException {
    // TrainerSpec's model_type = CHAR, behind a piece.
    model(new byte[] {0x0A, 3, 0x0A, 1, 'a', 0x12, 2, 0x18, 4});
    refused(temporary, "its model type is CHAR, and only BPE and UNIGRAM are");
  }

  @Test
  void aBpeModelThatChangesTextsIsRefusedWithoutAClass() throws IOException {
    // model_type = BPE; a NormalizerSpec's remove_extra_whitespaces is true where it isn't given.
    model(new byte[] {0x0A, 3, 0x0A, 1, 'a', 0x12, 2, 0x18, 2});
    refused(temporary, "it is a BPE model that changes texts, and no tokenizer_class says how");
  }

  @Test
  void whatIsNoModelOfSentencePieceIsRefused() throws IOException {
    // The form of tiktoken, which Llama 3's own folders have under the same name.
    write(temporary, "tokenizer.model", "IQ== 0\nIg== 1\n");
    refused(temporary, "isn't a model of SentencePiece");

    byte[] whole = Files.readAllBytes(folder("llama").resolve("tokenizer.model"));
    model(Arrays.copyOf(whole, whole.length - 3));
    refused(temporary, "isn't a model of SentencePiece");

    model(new byte[0]);
    refused(temporary, "isn't a model of SentencePiece");
  }

  @Test
  void anAddedTokenWhoseIdIsNotTheNextIsRefused() throws IOException {
    Path folder = copy("llama", "tokenizer.model");
    write(folder, "added_tokens.json", "{\"<sep>\": 480, \"<late>\": 482}");
    refused(folder, "the added token '<late>' has the id 482, but the 480 pieces");

    write(folder, "added_tokens.json", "{\"▁hello\": 480}");
    refused(folder, "the added token '▁hello' has the id 480");
  }

  @Test
  void anAddedBeginningNeedsItsToken() throws IOException {
    Path folder = copy("llama", "tokenizer.model");
    write(folder, "tokenizer_config.json", "{\"bos_token\": null, \"add_bos_token\": true}");
    refused(folder, "sets add_bos_token, but there is no bos_token");
  }

  @Test
  void aFolderWithoutATokenizerIsRefused() {
    refused(temporary, "tokenizer.json doesn't exist, nor a tokenizer.model of SentencePiece");
  }

  private static void refused(Path folder, String why) {
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(why);
  }

  private static Piece piece(String text, float score) {
    return new Piece(text, score, Kind.NORMAL);
  }

  private void model(byte[] content) throws IOException {
    Files.write(temporary.resolve("tokenizer.model"), content);
  }

  private Path copy(String name, String... files) throws IOException {
    for (String file : files) {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      Files.copy(folder(name).resolve(file), content);
      Files.write(temporary.resolve(file), content.toByteArray());
    }
    return temporary;
  }

  private static void write(Path folder, String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }

  private static int[] ints(JsonNode array) {
    int[] numbers = new int[array.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = array.get(i).intValue();
    }
    return numbers;
  }

  private static Path folder(String name) {
    try {
      return Path.of(SentencePieceTest.class.getResource("/sentencepiece/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
