package dev.finetune.trainer.data.jinja;

/** The escapes of a string literal, which are Python's. */
final class StringLiteral {
  private StringLiteral() {}

  /**
   * The value of a literal.
   *
   * @param body what stands between its quotes
   * @param line its line, for messages
   */
  static String decode(String body, int line) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    StringBuilder value = new StringBuilder(body.length());
    int i = 0;
    while (i < body.length()) {
      char c = body.charAt(i);
      if (c != '\\') {
        value.append(c);
        i++;
      } else {
        i = escape(body, i + 1, value, line);
      }
    }
    return value.toString();
  }

  /** Appends the escape whose letter is at {@code i} and returns the index behind it. */
  private static int escape(String body, int i, StringBuilder value, int line) {
    char letter = body.charAt(i);
    switch (letter) {
      case 'n' -> value.append('\n');
      case 't' -> value.append('\t');
      case 'r' -> value.append('\r');
      case 'a' -> value.append('\u0007');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'v' -> value.append('\u000b');
      case '\\', '\'', '"' -> value.append(letter);
      case '\n' -> {}
      case 'x' -> {
        return hexadecimal(body, i + 1, 2, value, line);
      }
      case 'u' -> {
        return hexadecimal(body, i + 1, 4, value, line);
      }
      case 'U' -> {
        return hexadecimal(body, i + 1, 8, value, line);
      }
      case 'N', '0', '1', '2', '3', '4', '5', '6', '7' ->
          throw new JinjaException("the escape '\\" + letter + "' is not supported", line);
      // Python keeps the backslash of an escape that it doesn't know.
      default -> value.append('\\').append(letter);
    }
    return i + 1;
  }

  private static int hexadecimal(
      String body, int start, int digits, StringBuilder value, int line) {
    int end = start + digits;
    try {
      value.appendCodePoint(Integer.parseInt(body.substring(start, end), 16));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new JinjaException("a broken escape in a string: " + e.getMessage(), line);
    }
    return end;
  }
}
