package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.SentencePieceMerges.Merge;
import dev.finetune.trainer.data.SentencePieceModel.Algorithm;
import dev.finetune.trainer.data.SentencePieceModel.Piece;
import dev.finetune.trainer.model.AddedToken;
import dev.finetune.trainer.model.FolderJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * A tokenizer.model of SentencePiece as a tokenizer.json, as transformers makes its fast tokenizers
 * (convert_slow_tokenizer.py). Its pieces get their ids, and the settings of the folder's JSON
 * files apply.
 */
final class SentencePieceConversion {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPACE = "▁";

  /** The unknown token of Llama's Unigram models, whatever they say. */
  private static final int LLAMA_UNKNOWN = 0;

  private final SentencePieceModel model;
  private final TokenizerConfig config;
  private final JsonNode settings;
  private final SentencePieceFamily family;
  private final SentencePieceVocabulary vocabulary;

  private SentencePieceConversion(
      SentencePieceModel model,
      TokenizerConfig config,
      JsonNode settings,
      SentencePieceFamily family) {
    this.model = model;
    this.config = config;
    this.settings = settings;
    this.family = family;
    this.vocabulary = SentencePieceVocabulary.of(model, config, family);
  }

  /**
   * The conversion of a folder's model.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if the model's type, the folder's
   *     tokenizer_class or a setting isn't handled
   */
  static SentencePieceConversion of(SentencePieceModel model, TokenizerConfig config) {
    JsonNode settings = FolderJson.read(config.folder().resolve("tokenizer_config.json"));
    return new SentencePieceConversion(
        model, config, settings, SentencePieceFamily.of(model, settings));
  }

  /** The content of the tokenizer.json, in UTF-8. */
  byte[] json() throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().setCodec(JSON).createGenerator(content)) {
      json.writeStartObject();
      json.writeStringField("version", "1.0");
      json.writeNullField("truncation");
      json.writeNullField("padding");
      json.writeArrayFieldStart("added_tokens");
      for (AddedToken token : vocabulary.added()) {
        json.writeObject(added(token));
      }
      json.writeEndArray();
      json.writeObjectField("normalizer", normalizer());
      json.writeObjectField("pre_tokenizer", preTokenizer());
      json.writeObjectField("post_processor", postProcessor());
      json.writeObjectField("decoder", decoder());
      json.writeObjectFieldStart("model");
      if (unigram()) {
        writeUnigram(json);
      } else {
        writeBpe(json);
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    return content.toByteArray();
  }

  private boolean unigram() {
    return model.algorithm() == Algorithm.UNIGRAM;
  }

  /** Whether it is SpmConverter's, which splits at spaces and cleans them. */
  private boolean general() {
    return unigram() && family == SentencePieceFamily.NONE;
  }

  /** Whether a space comes before a text, and with legacy behind each added token as well. */
  private boolean prefix() {
    return switch (family) {
      case LLAMA -> settings.path("add_prefix_space").asBoolean(true);
      case GEMMA -> false;
      case INTERNLM2, NONE -> model.dummyPrefix();
    };
  }

  /** Whether the spaces are made before the added tokens are cut out: Llama's first way. */
  private boolean legacy() {
    return family != SentencePieceFamily.LLAMA || settings.path("legacy").asBoolean(true);
  }

  private static ObjectNode added(AddedToken token) {
    return JSON.createObjectNode()
        .put("id", token.id())
        .put("content", token.content())
        .put("single_word", token.singleWord())
        .put("lstrip", token.lstrip())
        .put("rstrip", token.rstrip())
        .put("normalized", token.normalized())
        .put("special", token.special());
  }

  private ObjectNode normalizer() {
    if (!legacy()) {
      return null;
    }
    ObjectNode sequence = typed("Sequence");
    ArrayNode normalizers = sequence.putArray("normalizers");
    if (general()) {
      if (!model.charsmap().isEmpty()) {
        normalizers.add(typed("Precompiled").put("precompiled_charsmap", model.charsmap()));
      }
      normalizers.add(typed("Strip").put("strip_left", false).put("strip_right", true));
      normalizers.add(replace("Regex", " {2,}", SPACE));
      return sequence;
    }
    if (prefix()) {
      normalizers.add(typed("Prepend").put("prepend", SPACE));
    }
    normalizers.add(replace("String", " ", SPACE));
    return sequence;
  }

  private ObjectNode preTokenizer() {
    if (general()) {
      return metaspace();
    }
    return legacy() ? null : metaspace().put("split", false);
  }

  private ObjectNode metaspace() {
    String scheme = general() ? "always" : prefix() ? "first" : "never";
    return typed("Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", scheme)
        .put("split", true);
  }

  private ObjectNode decoder() {
    if (general()) {
      return metaspace();
    }
    ObjectNode sequence = typed("Sequence");
    ArrayNode decoders = sequence.putArray("decoders");
    decoders.add(replace("String", SPACE, " "));
    decoders.add(typed("ByteFallback"));
    decoders.add(typed("Fuse"));
    if (prefix()) {
      decoders.add(typed("Strip").put("content", " ").put("start", 1).put("stop", 0));
    }
    return sequence;
  }

  /** What is put around a text that isn't a rendered chat; null where nothing is. */
  private ObjectNode postProcessor() {
    boolean bos = settings.path("add_bos_token").asBoolean(!general() && named("bos_token"));
    boolean eos = settings.path("add_eos_token").asBoolean(false);
    if (!bos && !eos) {
      return null;
    }
    ObjectNode template = typed("TemplateProcessing");
    ObjectNode tokens = JSON.createObjectNode();
    ArrayNode single = template.putArray("single");
    ArrayNode pair = template.putArray("pair");
    part(single, "A", 0, bos, eos, tokens);
    part(pair, "A", 0, bos, eos, tokens);
    part(pair, "B", 1, bos, eos, tokens);
    template.set("special_tokens", tokens);
    return template;
  }

  private boolean named(String name) {
    return config.specialTokens().containsKey(name);
  }

  private void part(
      ArrayNode parts, String sequence, int type, boolean bos, boolean eos, ObjectNode tokens) {
    if (bos) {
      special(parts, "bos_token", type, tokens);
    }
    parts.addObject().putObject("Sequence").put("id", sequence).put("type_id", type);
    if (eos) {
      special(parts, "eos_token", type, tokens);
    }
  }

  private void special(ArrayNode parts, String name, int type, ObjectNode tokens) {
    String token = config.specialTokens().get(name);
    if (token == null) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "tokenizer_config.json in %s sets add_%s, but there is no %s; name it there"
              .formatted(config.folder(), name, name));
    }
    parts.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
    ObjectNode entry = tokens.putObject(token);
    entry.put("id", token);
    entry.putArray("ids").add(vocabulary.id(token));
    entry.putArray("tokens").add(token);
  }

  private void writeBpe(JsonGenerator json) throws IOException {
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    int unknown = model.unkId();
    json.writeStringField(
        "unk_token", unknown < 0 ? null : vocabulary.pieces().get(unknown).text());
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", true);
    // Where the pieces have no bytes, there is nothing to fall back to.
    json.writeBooleanField("byte_fallback", true);
    json.writeBooleanField("ignore_merges", false);
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < vocabulary.pieces().size(); id++) {
      json.writeNumberField(vocabulary.pieces().get(id).text(), id);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (Merge merge : SentencePieceMerges.of(vocabulary.pieces(), vocabulary.ids())) {
      json.writeStartArray();
      json.writeString(merge.left());
      json.writeString(merge.right());
      json.writeEndArray();
    }
    json.writeEndArray();
  }

  private void writeUnigram(JsonGenerator json) throws IOException {
    json.writeStringField("type", "Unigram");
    int unknown = general() ? model.unkId() : LLAMA_UNKNOWN;
    if (unknown < 0) {
      json.writeNullField("unk_id");
    } else {
      json.writeNumberField("unk_id", unknown);
    }
    json.writeBooleanField("byte_fallback", !general());
    json.writeArrayFieldStart("vocab");
    for (Piece piece : vocabulary.pieces()) {
      json.writeStartArray();
      json.writeString(piece.text());
      json.writeNumber((double) piece.score());
      json.writeEndArray();
    }
    json.writeEndArray();
  }

  private static ObjectNode typed(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  private static ObjectNode replace(String kind, String pattern, String content) {
    ObjectNode replace = typed("Replace");
    replace.putObject("pattern").put(kind, pattern);
    return replace.put("content", content);
  }
}
