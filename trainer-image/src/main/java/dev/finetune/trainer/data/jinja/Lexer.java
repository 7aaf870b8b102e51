package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with trim_blocks and lstrip_blocks on and keep_trailing_newline
 * off, as transformers configures Jinja2: the newline behind a block or comment is dropped, and so
 * are the blanks before one that is first on its line; {@code -} drops all white space on its side
 * and {@code +} keeps it.
 */
final class Lexer {
  private static final Pattern OPENING = Pattern.compile("\\{(?<kind>[{%#])(?<sign>[-+]?)");
  private static final Pattern BLOCK_CLOSING = Pattern.compile("\\+%}|-%}\\s*|%}\\n?");
  private static final Pattern VARIABLE_CLOSING = Pattern.compile("-}}\\s*|}}");
  private static final Pattern COMMENT_CLOSING = Pattern.compile("\\+#}|-#}\\s*|#}\\n?");
  private static final Pattern RAW_OPENING = Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%}\\s*|%})");
  private static final Pattern RAW_CLOSING =
      Pattern.compile("\\{%(?<sign>[-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");
  private static final Pattern BLANKS = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern NAME =
      Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern NUMBER =
      Pattern.compile("\\d+(?:_\\d+)*(?<fraction>\\.\\d+(?:_\\d+)*)?(?<exponent>[eE][+-]?\\d+)?");
  private static final Pattern STRING =
      Pattern.compile("'(?:[^'\\\\]|\\\\.)*+'|\"(?:[^\"\\\\]|\\\\.)*+\"", Pattern.DOTALL);
  private static final Pattern OPERATOR =
      Pattern.compile("\\*\\*|//|==|!=|>=|<=|[-+*/%~|.,:()\\[\\]{}<>=]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String source) {
    String normalized = source.replace("\r\n", "\n").replace('\r', '\n');
    // keep_trailing_newline is off: one newline at the very end is no part of the template.
    if (normalized.endsWith("\n")) {
      normalized = normalized.substring(0, normalized.length() - 1);
    }
    Lexer lexer = new Lexer(normalized);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    Matcher opening = OPENING.matcher(source);
    while (opening.find(position)) {
      text(opening.start(), opening.group("sign"), !opening.group("kind").equals("{"));
      switch (opening.group("kind")) {
        case "#" -> comment(opening.end());
        case "{" -> tag(opening.end(), VARIABLE_CLOSING, true);
        default -> block(opening.end());
      }
    }
    text(source.length(), "+", false);
    add(Token.Type.END, "");
  }

  /** Emits the output before a tag, without the white space that the tag takes away. */
  private void text(int end, String sign, boolean lstrip) {
    String text = source.substring(position, end);
    String kept = text;
    if (sign.equals("-")) {
      kept = stripRight(text);
    } else if (lstrip && !sign.equals("+")) {
      int lineStart = text.lastIndexOf('\n') + 1;
      boolean onlyBlanks = BLANKS.matcher(text.substring(lineStart)).matches();
      if (onlyBlanks && (lineStart > 0 || lineStarting)) {
        kept = text.substring(0, lineStart);
      }
    }
    if (!kept.isEmpty()) {
      add(Token.Type.TEXT, kept);
    }
    advance(end);
  }

  private void comment(int bodyStart) {
    Matcher closing = COMMENT_CLOSING.matcher(source);
    if (!closing.find(bodyStart)) {
      throw new JinjaException("'{#' without '#}'", line);
    }
    close(closing.end());
  }

  private void block(int bodyStart) {
    Matcher raw = RAW_OPENING.matcher(source).region(position, source.length());
    if (!raw.lookingAt()) {
      tag(bodyStart, BLOCK_CLOSING, false);
      return;
    }
    close(raw.end());
    Matcher closing = RAW_CLOSING.matcher(source);
    if (!closing.find(position)) {
      throw new JinjaException("'{% raw %}' without '{% endraw %}'", line);
    }
    text(closing.start(), closing.group("sign"), true);
    close(closing.end());
  }

  private void tag(int bodyStart, Pattern closingPattern, boolean variable) {
    int openedAt = line;
    add(variable ? Token.Type.VARIABLE_BEGIN : Token.Type.BLOCK_BEGIN, variable ? "{{" : "{%");
    advance(bodyStart);
    int depth = 0;
    Matcher closing = closingPattern.matcher(source);
    while (true) {
      advance(position + leading(BLANKS));
      closing.region(position, source.length());
      // Inside brackets "}}" closes two dict literals, not the tag.
      if (depth == 0 && closing.lookingAt()) {
        add(variable ? Token.Type.VARIABLE_END : Token.Type.BLOCK_END, variable ? "}}" : "%}");
        close(closing.end());
        return;
      }
      if (position == source.length()) {
        throw new JinjaException(variable ? "'{{' without '}}'" : "'{%' without '%}'", openedAt);
      }
      depth += lexeme();
    }
  }

  /** Emits one token of an expression and returns by how much it changes the bracket depth. */
  private int lexeme() {
    int length = leading(NAME);
    if (length > 0) {
      return emit(Token.Type.NAME, source.substring(position, position + length), length);
    }
    Matcher number = at(NUMBER);
    if (number.lookingAt()) {
      boolean real = number.group("fraction") != null || number.group("exponent") != null;
      return emit(
          real ? Token.Type.FLOAT : Token.Type.INTEGER,
          number.group().replace("_", ""),
          number.group().length());
    }
    length = leading(STRING);
    if (length > 0) {
      String body = source.substring(position + 1, position + length - 1);
      return emit(Token.Type.STRING, StringLiteral.decode(body, line), length);
    }
    length = leading(OPERATOR);
    if (length == 0) {
      int codePoint = source.codePointAt(position);
      throw new JinjaException(
          "unexpected character '" + Character.toString(codePoint) + "'", line);
    }
    String operator = source.substring(position, position + length);
    emit(Token.Type.OPERATOR, operator, length);
    return switch (operator) {
      case "(", "[", "{" -> 1;
      case ")", "]", "}" -> -1;
      default -> 0;
    };
  }

  private int emit(Token.Type type, String text, int length) {
    add(type, text);
    advance(position + length);
    return 0;
  }

  private Matcher at(Pattern pattern) {
    return pattern.matcher(source).region(position, source.length());
  }

  private int leading(Pattern pattern) {
    Matcher matcher = at(pattern);
    return matcher.lookingAt() ? matcher.end() - position : 0;
  }

  private void close(int end) {
    lineStarting = end > 0 && source.charAt(end - 1) == '\n';
    advance(end);
  }

  private void advance(int end) {
    for (int i = position; i < end; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    position = end;
  }

  private void add(Token.Type type, String text) {
    tokens.add(new Token(type, text, line));
  }

  private static String stripRight(String text) {
    return PythonText.strip(text, null, false, true);
  }
}
