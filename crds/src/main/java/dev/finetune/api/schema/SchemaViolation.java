package dev.finetune.api.schema;

/**
 * A value that the schema doesn't allow.
 *
 * @param path the field, such as {@code recipe.training.epochs}; empty for the whole document
 * @param message what is wrong and what is allowed
 */
public record SchemaViolation(String path, String message) {

  /** {@code path: message}. */
  @Override
  public String toString() {
    return path.isEmpty() ? message : path + ": " + message;
  }
}
