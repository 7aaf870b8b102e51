package dev.finetune.trainer.data.jinja;

/**
 * A lexical unit of a template.
 *
 * @param type what it is
 * @param text the name, the operator, or the value of a string, number or piece of output
 * @param line where it begins, from 1
 */
record Token(Type type, String text, int line) {
  enum Type {
    TEXT,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Type wanted, String value) {
    return type == wanted && text.equals(value);
  }

  /** How a message names the token. */
  String shown() {
    return switch (type) {
      case END -> "the end of the template";
      case BLOCK_END -> "'%}'";
      case VARIABLE_END -> "'}}'";
      case TEXT -> "text";
      default -> "'" + text + "'";
    };
  }
}
