package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a tokenizer.model of SentencePiece holds (ModelProto of its sentencepiece_model.proto), as
 * far as a conversion needs it.
 *
 * @param file where it was read
 * @param pieces by their ids
 * @param algorithm how a text is cut into pieces
 * @param unkId the id of what no piece stands for; negative where there is none, as the others
 * @param bosId the id of the beginning of a text
 * @param eosId the id of a text's end
 * @param padId the id of padding
 * @param byteFallback whether what isn't in the vocabulary becomes the pieces of its bytes
 * @param charsmap its map for the normalization of characters in base64; empty: none
 * @param dummyPrefix whether a space is put before each text
 * @param removesSpaces whether spaces at the ends and repeated ones are removed
 */
record SentencePieceModel(
    Path file,
    List<Piece> pieces,
    Algorithm algorithm,
    int unkId,
    int bosId,
    int eosId,
    int padId,
    boolean byteFallback,
    String charsmap,
    boolean dummyPrefix,
    boolean removesSpaces) {
  static final String FILE = "tokenizer.model";

  /** TrainerSpec.ModelType. */
  enum Algorithm {
    UNIGRAM,
    BPE,
    WORD,
    CHAR;

    private static Algorithm of(int number) {
      return switch (number) {
        case 1 -> UNIGRAM;
        case 2 -> BPE;
        case 3 -> WORD;
        case 4 -> CHAR;
        default -> throw new IllegalArgumentException("no model type: " + number);
      };
    }
  }

  /** ModelProto.SentencePiece.Type. */
  enum Kind {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE;

    private static Kind of(int number) {
      return switch (number) {
        case 1 -> NORMAL;
        case 2 -> UNKNOWN;
        case 3 -> CONTROL;
        case 4 -> USER_DEFINED;
        case 5 -> UNUSED;
        case 6 -> BYTE;
        default -> throw new IllegalArgumentException("no type of a piece: " + number);
      };
    }
  }

  /**
   * A piece of the vocabulary.
   *
   * @param text with ▁ for each space
   * @param score higher is preferred
   * @param kind what it is there for
   */
  record Piece(String text, float score, Kind kind) {}

  /** Whether the folder's tokenizer is its tokenizer.model: a tokenizer.json is preferred. */
  static boolean isUsed(Path folder) {
    return !Files.exists(folder.resolve(Tokenizer.JSON)) && Files.exists(folder.resolve(FILE));
  }

  /**
   * Reads a folder's tokenizer.model.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if it isn't a SentencePiece model
   */
  static SentencePieceModel read(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      return read(file, new ProtocolBuffer(ByteBuffer.wrap(Files.readAllBytes(file))));
    } catch (IOException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " can't be read: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      throw new TrainerException(
          TrainerExit.MODEL, file + " isn't a model of SentencePiece" + Tokenizer.SAVE_JSON, e);
    }
  }

  /** The texts of the special tokens that it has, by their names in tokenizer_config.json. */
  Map<String, String> specialTokens() {
    Map<String, String> tokens = new LinkedHashMap<>();
    name(tokens, "bos_token", bosId, Kind.CONTROL);
    name(tokens, "eos_token", eosId, Kind.CONTROL);
    name(tokens, "unk_token", unkId, Kind.UNKNOWN);
    name(tokens, "pad_token", padId, Kind.CONTROL);
    return tokens;
  }

  private void name(Map<String, String> tokens, String name, int id, Kind kind) {
    if (id >= 0 && id < pieces.size() && pieces.get(id).kind() == kind) {
      tokens.put(name, pieces.get(id).text());
    }
  }

  private static SentencePieceModel read(Path file, ProtocolBuffer model) {
    List<Piece> pieces = new ArrayList<>();
    Trainer trainer = new Trainer();
    Normalizer normalizer = new Normalizer();
    while (model.next()) {
      switch (model.field()) {
        case 1 -> pieces.add(piece(model.message()));
        case 2 -> trainer.read(model.message());
        case 3 -> normalizer.read(model.message());
        default -> {}
      }
    }
    if (pieces.isEmpty()) {
      throw new IllegalArgumentException("no pieces");
    }
    return new SentencePieceModel(
        file,
        List.copyOf(pieces),
        trainer.algorithm,
        trainer.unkId,
        trainer.bosId,
        trainer.eosId,
        trainer.padId,
        trainer.byteFallback,
        normalizer.charsmap,
        normalizer.dummyPrefix,
        normalizer.removesSpaces);
  }

  private static Piece piece(ProtocolBuffer message) {
    String text = "";
    float score = 0;
    Kind kind = Kind.NORMAL;
    while (message.next()) {
      switch (message.field()) {
        case 1 -> text = message.text();
        case 2 -> score = message.real();
        case 3 -> kind = Kind.of(message.number());
        default -> {}
      }
    }
    return new Piece(text, score, kind);
  }

  /** TrainerSpec with the defaults of the proto file. */
  private static final class Trainer {
    private Algorithm algorithm = Algorithm.UNIGRAM;
    private int unkId;
    private int bosId = 1;
    private int eosId = 2;
    private int padId = -1;
    private boolean byteFallback;

    private void read(ProtocolBuffer message) {
      while (message.next()) {
        switch (message.field()) {
          case 3 -> algorithm = Algorithm.of(message.number());
          case 35 -> byteFallback = message.flag();
          case 40 -> unkId = message.number();
          case 41 -> bosId = message.number();
          case 42 -> eosId = message.number();
          case 43 -> padId = message.number();
          default -> {}
        }
      }
    }
  }

  /** NormalizerSpec with the defaults of the proto file. */
  private static final class Normalizer {
    private String charsmap = "";
    private boolean dummyPrefix = true;
    private boolean removesSpaces = true;

    private void read(ProtocolBuffer message) {
      while (message.next()) {
        switch (message.field()) {
          case 2 -> charsmap = Base64.getEncoder().encodeToString(message.bytes());
          case 3 -> dummyPrefix = message.flag();
          case 4 -> removesSpaces = message.flag();
          default -> {}
        }
      }
    }
  }
}
