package dev.finetune.trainer.data.jinja;

/** A template that can't be parsed or rendered. The message ends with the template's line. */
public final class JinjaException extends RuntimeException {
  private final int line;

  JinjaException(String message, int line) {
    super(message + " (line " + line + " of the template)");
    this.line = line;
  }

  /** The line of the template at which it failed, from 1. */
  public int line() {
    return line;
  }
}
