package dev.finetune.trainer.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.FolderJson;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A model's tokenizer with the special ids of its configuration. Safe for many threads. */
public final class Tokenizer implements AutoCloseable {
  /** The file that Hugging Face's tokenizers read and write; where it is, nothing else counts. */
  static final String JSON = "tokenizer.json";

  /** What to do where a folder's own files don't do. */
  static final String SAVE_JSON =
      "; transformers writes a tokenizer.json with"
          + " AutoTokenizer.from_pretrained(...).save_pretrained(...)";

  private final HuggingFaceTokenizer tokenizer;
  private final Map<String, String> specialTokens;
  private final Set<Integer> stopIds;
  private final int padId;
  private final Optional<Integer> eosId;
  private final Optional<Integer> bosId;
  private final int[] textPrefix;

  private Tokenizer(HuggingFaceTokenizer tokenizer, TokenizerConfig config) {
    this.tokenizer = tokenizer;
    this.specialTokens = config.specialTokens();
    this.stopIds = stopIds(config.folder());
    // Padding is told by position, so the id matters only in that the embedding has it: 0 always.
    this.eosId = specialId("eos_token");
    this.padId = specialId("pad_token").or(() -> eosId).orElse(0);
    this.bosId =
        Optional.ofNullable(specialTokens.get("bos_token"))
            .map(this::encode)
            .filter(ids -> ids.length == 1)
            .map(ids -> ids[0]);
    this.textPrefix = prefix();
  }

  /**
   * Reads the tokenizer of a model: tokenizer.json, or tokenizer.model where there is none.
   *
   * @param model the model folder
   * @throws TrainerException with {@link TrainerExit#MODEL} if there is neither, or what is there
   *     is broken or isn't supported
   */
  public static Tokenizer load(Path model) {
    Path file = model.resolve(JSON);
    boolean converted = SentencePieceModel.isUsed(model);
    if (!converted && !Files.exists(file)) {
      throw new TrainerException(
          TrainerExit.MODEL,
          file
              + " doesn't exist, nor a tokenizer.model of SentencePiece; the model needs one of them"
              + SAVE_JSON);
    }
    // The library's own defaults cut at 512 tokens and write a warning for each row.
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      TokenizerConfig config = TokenizerConfig.read(model);
      if (!converted) {
        return new Tokenizer(HuggingFaceTokenizer.newInstance(file, options), config);
      }
      byte[] json = SentencePieceConversion.of(SentencePieceModel.read(model), config).json();
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options), config);
    } catch (IOException | RuntimeException e) {
      if (e instanceof TrainerException known) {
        throw known;
      }
      throw new TrainerException(
          TrainerExit.MODEL,
          (converted ? model.resolve(SentencePieceModel.FILE) : file)
              + " can't be read as a tokenizer: "
              + e.getMessage(),
          e);
    }
  }

  /**
   * Token ids with the place of each in the text.
   *
   * @param ids (T)
   * @param starts (T), the code point that each token begins at
   */
  record Offsets(int[] ids, int[] starts) {}

  /** The ids of a text, without adding special tokens; those in the text become their ids. */
  public int[] encode(String text) {
    return ids(tokenizer.encode(text, false, false));
  }

  /** The ids of a text that isn't a rendered chat, with the special tokens around it. */
  public int[] encodeWithSpecialTokens(String text) {
    return ids(tokenizer.encode(text, true, false));
  }

  /** As {@link #encode}, with offsets. */
  Offsets encodeWithOffsets(String text) {
    Encoding encoding = tokenizer.encode(text, false, false);
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] starts = new int[spans.length];
    for (int t = 0; t < spans.length; t++) {
      starts[t] = spans[t].getStart();
    }
    return new Offsets(ids(encoding), starts);
  }

  /** The text of ids, special tokens included. */
  public String decode(int[] ids) {
    return decode(ids, false);
  }

  /**
   * The text of ids.
   *
   * @param skipSpecialTokens whether to leave special tokens out
   */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), skipSpecialTokens);
  }

  /** The id of bos_token, where the tokenizer has one of that text. */
  Optional<Integer> bosId() {
    return bosId;
  }

  /** The ids that the tokenizer's post-processor puts in front of a text; mostly bos_token. */
  int[] textPrefix() {
    return textPrefix.clone();
  }

  private int[] prefix() {
    String text = "a";
    int[] bare = encode(text);
    int[] processed = ids(tokenizer.encode(text, true, false));
    for (int start = 0; start + bare.length <= processed.length; start++) {
      if (Arrays.equals(processed, start, start + bare.length, bare, 0, bare.length)) {
        return Arrays.copyOf(processed, start);
      }
    }
    return new int[0];
  }

  /**
   * The id that ends a text: eos_token's.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if the tokenizer has none
   */
  int textEnd() {
    return eosId.orElseThrow(
        () ->
            new TrainerException(
                TrainerExit.MODEL,
                "the tokenizer has no eos_token to end texts with; name it in the model's"
                    + " tokenizer_config.json"));
  }

  /** The id that fills padding: the pad token's, else the end-of-sequence token's. */
  public int padId() {
    return padId;
  }

  /**
   * The ids that end a generation: eos_token_id of generation_config.json (of config.json where
   * there is none), and the tokenizer's eos_token.
   */
  public Set<Integer> stopIds() {
    return stopIds;
  }

  /** The same, and the token by which the template ends an answer, where it is a special one. */
  public Set<Integer> stopIds(ChatTemplate template) {
    Set<Integer> ids = new TreeSet<>(stopIds);
    TurnEnd.of(template, this).ifPresent(ids::add);
    return Set.copyOf(ids);
  }

  /**
   * The id of a special token.
   *
   * @param name its name in tokenizer_config.json, such as eos_token
   * @return empty where the tokenizer has none of that name
   * @throws TrainerException with {@link TrainerExit#MODEL} if its text isn't one token
   */
  public Optional<Integer> specialId(String name) {
    String token = specialTokens.get(name);
    if (token == null) {
      return Optional.empty();
    }
    int[] ids = encode(token);
    if (ids.length != 1) {
      throw new TrainerException(
          TrainerExit.MODEL,
          name
              + " of tokenizer_config.json is '"
              + token
              + "', which the tokenizer doesn't hold as"
              + " one token");
    }
    return Optional.of(ids[0]);
  }

  private Set<Integer> stopIds(Path model) {
    Set<Integer> ids = new TreeSet<>();
    JsonNode eos = FolderJson.read(model.resolve("generation_config.json")).path("eos_token_id");
    if (eos.isMissingNode() || eos.isNull()) {
      eos = FolderJson.read(model.resolve("config.json")).path("eos_token_id");
    }
    if (eos.isInt()) {
      ids.add(eos.intValue());
    }
    eos.elements().forEachRemaining(id -> ids.add(id.intValue()));
    specialId("eos_token").ifPresent(ids::add);
    return Set.copyOf(ids);
  }

  private static int[] ids(Encoding encoding) {
    return Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
