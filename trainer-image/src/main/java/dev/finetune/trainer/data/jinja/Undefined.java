package dev.finetune.trainer.data.jinja;

/**
 * The value of what doesn't exist. As Jinja2's default Undefined it prints as nothing, is empty and
 * false, and every other use of it is an error that says what was missing.
 *
 * @param reason what was missing
 */
record Undefined(String reason) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, Object name) {
    String shown = name instanceof String text ? "'" + text + "'" : PythonText.str(name);
    return new Undefined("a value of type " + PythonText.typeName(owner) + " has no " + shown);
  }

  EvaluationException used() {
    return new EvaluationException(reason);
  }

  /** Two undefined values are equal, as in Jinja2. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return Undefined.class.hashCode();
  }
}
