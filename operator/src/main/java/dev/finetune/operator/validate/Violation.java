package dev.finetune.operator.validate;

/**
 * One rule that a FineTuneJob breaks.
 *
 * @param field path of the field, as in the manifest
 * @param message what was found and what to write instead
 */
public record Violation(String field, String message) {

  @Override
  public String toString() {
    return field + ": " + message;
  }
}
