package dev.finetune.api.schema;

import java.util.List;
import java.util.stream.Collectors;

/** A recipe breaks the schema; the message lists every violation, one a line. */
public final class InvalidRecipeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient List<SchemaViolation> violations;

  InvalidRecipeException(List<SchemaViolation> violations) {
    super(violations.stream().map(SchemaViolation::toString).collect(Collectors.joining("\n")));
    this.violations = List.copyOf(violations);
  }

  /** All of them, in the order of the document. */
  public List<SchemaViolation> violations() {
    return violations;
  }
}
