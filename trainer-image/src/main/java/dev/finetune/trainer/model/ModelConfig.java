package dev.finetune.trainer.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

  private ModelConfig(Path file, JsonNode root) {
    this.file = file;
    this.root = root;
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
      return new ModelConfig(file, root);
    } catch (NoSuchFileException e) {
      throw new TrainerException(
          TrainerExit.MODEL,
          file
              + " doesn't exist; the model must be a folder in Hugging Face's layout, with"
              + " config.json, safetensors weights and tokenizer.json",
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

  TrainerException invalid(String key, String what) {
    return new TrainerException(TrainerExit.MODEL, file + ": " + key + " " + what);
  }

  static String shown(JsonNode value) {
    return value.isMissingNode() ? "absent" : value.toString();
  }
}
