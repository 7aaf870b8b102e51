package dev.finetune.trainer.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** A model's config.json: typed reads of its settings, in the forms of transformers 4 and 5. */
public final class ModelConfig {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final JsonNode root;

  /** Where in the file it stands, such as vision_config. with the dot; empty: all of it. */
  private final String path;

  private ModelConfig(Path file, JsonNode root, String path) {
    this.file = file;
    this.root = root;
    this.path = path;
  }

  /**
   * Reads a config.json.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL}, if it is missing or not JSON
   */
  static ModelConfig read(Path file) {
    try {
      JsonNode root = JSON.readTree(Files.readAllBytes(file));
      if (!root.isObject()) {
        throw new TrainerException(TrainerExit.MODEL, file + " isn't a JSON object");
      }
      return new ModelConfig(file, root, "");
    } catch (NoSuchFileException e) {
      throw new TrainerException(
          TrainerExit.MODEL,
          file
              + " doesn't exist; the model must be a folder in Hugging Face's layout, with"
              + " config.json, safetensors weights and tokenizer.json or tokenizer.model",
          e);
    } catch (JsonProcessingException e) {
      throw new TrainerException(
          TrainerExit.MODEL, file + " isn't JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " can't be read: " + e.getMessage(), e);
    }
  }

  Path file() {
    return file;
  }

  /** The first of {@code architectures}; empty if none is named. */
  public String architecture() {
    return root.path("architectures").path(0).asText();
  }

  /** Size of the hidden states, C. */
  public long hiddenSize() {
    return whole("hidden_size");
  }

  /** Number of token ids, V. */
  public long vocabularySize() {
    return whole("vocab_size");
  }

  /** Number of decoder layers. */
  public int layers() {
    return Math.toIntExact(whole("num_hidden_layers"));
  }

  /** Number of query heads, H. */
  public long heads() {
    return whole("num_attention_heads");
  }

  /** Number of key/value heads, K; as many as query heads where none is given. */
  public long keyValueHeads() {
    return has("num_key_value_heads") ? whole("num_key_value_heads") : heads();
  }

  /** Size of a head, D; the hidden size is divided among the heads where none is given. */
  public long headDim() {
    return has("head_dim") ? whole("head_dim") : hiddenSize() / heads();
  }

  /** Longest sequence that the model was made for, in tokens. */
  public long maxPositions() {
    return whole("max_position_embeddings");
  }

  /**
   * Refuses sequences for which the frequencies of the positions would have to change: those longer
   * than the model was made for, where its scaling is "dynamic".
   *
   * @param tokens of the longest sequence
   * @throws TrainerException with {@link TrainerExit#USAGE} if it is too long
   */
  public void checkLength(int tokens) {
    JsonNode scaling = has("rope_parameters") ? value("rope_parameters") : value("rope_scaling");
    boolean dynamic =
        scaling.path("rope_type").asText(scaling.path("type").asText()).equals("dynamic");
    if (dynamic && tokens > maxPositions()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "a sequence of %,d tokens is longer than the model's %,d positions, and beyond them its dynamic scaling of positions isn't supported; set training.maxLength to at most %d"
              .formatted(tokens, maxPositions(), maxPositions()));
    }
  }

  boolean has(String key) {
    return root.hasNonNull(key);
  }

  JsonNode value(String key) {
    return root.path(key);
  }

  long whole(String key) {
    JsonNode value = root.path(key);
    if (!value.isIntegralNumber() || value.asLong() <= 0) {
      throw invalid(key, "must be a whole number above 0, but is " + shown(value));
    }
    return value.asLong();
  }

  long whole(String key, long otherwise) {
    return has(key) ? whole(key) : otherwise;
  }

  /** A whole number above 0 that null turns off; {@code absent} where there is no such key. */
  OptionalLong wholeOrNull(String key, OptionalLong absent) {
    if (value(key).isMissingNode()) {
      return absent;
    }
    return value(key).isNull() ? OptionalLong.empty() : OptionalLong.of(whole(key));
  }

  /** A number above 0 that null turns off; {@code absent} where there is no such key. */
  OptionalDouble positiveOrNull(String key, OptionalDouble absent) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return absent;
    }
    if (value.isNull()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || value.asDouble() <= 0) {
      throw invalid(key, "must be a number above 0 or null, but is " + shown(value));
    }
    return OptionalDouble.of(value.asDouble());
  }

  double number(String key, double otherwise) {
    JsonNode value = root.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return otherwise;
    }
    if (!value.isNumber()) {
      throw invalid(key, "must be a number, but is " + shown(value));
    }
    return value.asDouble();
  }

  boolean flag(String key, boolean otherwise) {
    return root.path(key).asBoolean(otherwise);
  }

  /** A text; {@code otherwise} where there is none. */
  String text(String key, String otherwise) {
    return value(key).asText(otherwise);
  }

  /** The side of a square, which is a number or twice the same number. */
  long side(String key) {
    JsonNode value = value(key);
    if (!value.isArray()) {
      return whole(key);
    }
    long side = value.path(0).asLong();
    if (side <= 0 || value.size() != 2 || value.path(1).asLong() != side) {
      throw invalid(key, "must be a square, but is " + shown(value));
    }
    return side;
  }

  /**
   * The configuration within this one.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if there is none
   */
  ModelConfig within(String key) {
    if (!value(key).isObject()) {
      throw invalid(key, "must be an object, but is " + shown(value(key)));
    }
    return new ModelConfig(file, value(key), path + key + ".");
  }

  /** The same with another value of a flag. */
  ModelConfig with(String key, boolean value) {
    ObjectNode changed = ((ObjectNode) root).deepCopy();
    return new ModelConfig(file, changed.put(key, value), path);
  }

  /** Refuses any other value of a setting; an absent one is the value. */
  void require(String key, Object value) {
    JsonNode found = value(key);
    if (!found.isMissingNode() && !found.asText().equals(String.valueOf(value))) {
      throw invalid(key, "must be " + value + ", but is " + shown(found));
    }
  }

  TrainerException invalid(String key, String what) {
    return new TrainerException(TrainerExit.MODEL, file + ": " + path + key + " " + what);
  }

  static String shown(JsonNode value) {
    return value.isMissingNode() ? "absent" : value.toString();
  }
}
