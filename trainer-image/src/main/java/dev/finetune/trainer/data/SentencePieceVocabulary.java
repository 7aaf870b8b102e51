package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.SentencePieceModel.Kind;
import dev.finetune.trainer.data.SentencePieceModel.Piece;
import dev.finetune.trainer.model.AddedToken;
import dev.finetune.trainer.model.AddedTokens;
import dev.finetune.trainer.model.FolderJson;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The pieces of a SentencePiece model under the names that the folder gives them, and the tokens
 * that are found before them.
 *
 * @param pieces by their ids
 * @param ids of the pieces by their texts
 * @param added in the order of their ids, which are those of pieces or follow them without a gap
 */
record SentencePieceVocabulary(
    List<Piece> pieces, Map<String, Integer> ids, List<AddedToken> added) {
  private static final Set<String> TURNS = Set.of("<start_of_turn>", "<end_of_turn>");
  private static final String TAB = "\t";
  private static final String TAB_BYTE = "<0x09>";
  private static final String ADDITIONAL = "additional_special_tokens";

  /**
   * The vocabulary of a folder.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if a token's id isn't one that it can
   *     have
   */
  static SentencePieceVocabulary of(
      SentencePieceModel model, TokenizerConfig config, SentencePieceFamily family) {
    Map<String, JsonNode> special = special(config);
    List<AddedToken> configured = AddedTokens.ofConfiguration(config.folder(), special.keySet());

    List<Piece> pieces = renamed(model.pieces(), configured);
    if (family == SentencePieceFamily.GEMMA) {
      nameTab(pieces);
    }
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < pieces.size(); id++) {
      ids.put(pieces.get(id).text(), id);
    }

    List<AddedToken> added = added(pieces, ids, configured, special, family);
    check(model, added, ids);
    return new SentencePieceVocabulary(pieces, ids, added);
  }

  /** A later token takes the place of an earlier one of the same text, as in tokenizers. */
  private static List<AddedToken> added(
      List<Piece> pieces,
      Map<String, Integer> ids,
      List<AddedToken> configured,
      Map<String, JsonNode> special,
      SentencePieceFamily family) {
    Map<String, AddedToken> added = new LinkedHashMap<>();
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      boolean control = piece.kind() == Kind.CONTROL;
      boolean userDefined =
          piece.kind() == Kind.USER_DEFINED && family != SentencePieceFamily.INTERNLM2;
      if (control || userDefined) {
        boolean turn = family == SentencePieceFamily.GEMMA && TURNS.contains(piece.text());
        added.put(piece.text(), AddedToken.literal(id, piece.text(), control || turn));
      }
    }
    configured.forEach(token -> added.put(token.content(), token));
    int next = pieces.size();
    next += (int) added.keySet().stream().filter(text -> !ids.containsKey(text)).count();
    for (Map.Entry<String, JsonNode> token : special.entrySet()) {
      String text = token.getKey();
      if (!added.containsKey(text)) {
        int id = ids.containsKey(text) ? ids.get(text) : next++;
        added.put(text, AddedToken.flagged(id, text, true, token.getValue()));
      }
    }
    List<AddedToken> sorted = new ArrayList<>(added.values());
    sorted.sort(Comparator.comparingInt(AddedToken::id));
    return sorted;
  }

  /** The id of an added token. */
  int id(String token) {
    return added.stream()
        .filter(each -> each.content().equals(token))
        .mapToInt(AddedToken::id)
        .findFirst()
        .orElseThrow();
  }

  /** Models are published with unused pieces, which get a meaning by a name. */
  private static List<Piece> renamed(List<Piece> pieces, List<AddedToken> configured) {
    List<Piece> renamed = new ArrayList<>(pieces);
    for (AddedToken token : configured) {
      if (token.id() >= 0 && token.id() < pieces.size()) {
        Piece piece = pieces.get(token.id());
        renamed.set(token.id(), new Piece(token.content(), piece.score(), piece.kind()));
      }
    }
    return renamed;
  }

  /** Gemma's first vocabulary has pieces of several tabs and none of one: its byte is meant. */
  private static void nameTab(List<Piece> pieces) {
    if (pieces.stream().anyMatch(piece -> piece.text().equals(TAB))) {
      return;
    }
    pieces.replaceAll(
        piece ->
            piece.text().equals(TAB_BYTE) ? new Piece(TAB, piece.score(), piece.kind()) : piece);
  }

  /** The special tokens' texts with their flags, where there are any. */
  private static Map<String, JsonNode> special(TokenizerConfig config) {
    JsonNode settings = FolderJson.read(config.folder().resolve("tokenizer_config.json"));
    JsonNode map = FolderJson.read(config.folder().resolve("special_tokens_map.json"));
    Map<String, JsonNode> special = new LinkedHashMap<>();
    config
        .specialTokens()
        .forEach(
            (name, token) ->
                special.put(
                    token, settings.hasNonNull(name) ? settings.get(name) : map.path(name)));
    for (JsonNode file : List.of(settings, map)) {
      for (JsonNode token : file.path(ADDITIONAL)) {
        special.putIfAbsent(
            token.isObject() ? token.path("content").asText() : token.asText(), token);
      }
    }
    return special;
  }

  private static void check(
      SentencePieceModel model, List<AddedToken> added, Map<String, Integer> ids) {
    int next = model.pieces().size();
    Set<Integer> taken = new HashSet<>();
    for (AddedToken token : added) {
      Integer piece = ids.get(token.content());
      int id = piece == null ? next++ : piece;
      if (token.id() != id || !taken.add(id)) {
        throw new TrainerException(
            TrainerExit.MODEL,
            "%s: the added token '%s' has the id %d, but the %d pieces of %s leave %d to it%s"
                .formatted(
                    model.file().getParent(),
                    token.content(),
                    token.id(),
                    model.pieces().size(),
                    model.file().getFileName(),
                    id,
                    Tokenizer.SAVE_JSON));
      }
    }
  }
}
