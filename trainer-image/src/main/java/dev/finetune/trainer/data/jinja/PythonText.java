package dev.finetune.trainer.data.jinja;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Values as text, the way Python's str and repr write them, and Python's notion of white space. */
public final class PythonText {
  private PythonText() {}

  /** str(value). */
  static String str(Object value) {
    return value instanceof String text ? text : repr(value);
  }

  /** repr(value). */
  static String repr(Object value) {
    if (value == null) {
      return "None";
    } else if (value instanceof Boolean flag) {
      return flag ? "True" : "False";
    } else if (value instanceof Double number) {
      return real(number);
    } else if (value instanceof String text) {
      return quoted(text);
    } else if (value instanceof PythonTuple tuple) {
      return tuple(tuple);
    } else if (value instanceof List<?> list) {
      return list.stream().map(PythonText::repr).collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(entry -> repr(entry.getKey()) + ": " + repr(entry.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof Undefined) {
      return "";
    } else if (value instanceof Long number) {
      return number.toString();
    }
    throw new EvaluationException(
        "printing a value of type " + typeName(value) + " is not supported");
  }

  /** type(value).__name__, or the nearest word for it. */
  static String typeName(Object value) {
    if (value == null) {
      return "None";
    } else if (value instanceof String) {
      return "str";
    } else if (value instanceof Boolean) {
      return "bool";
    } else if (value instanceof Long) {
      return "int";
    } else if (value instanceof Double) {
      return "float";
    } else if (value instanceof PythonTuple) {
      return "tuple";
    } else if (value instanceof List) {
      return "list";
    } else if (value instanceof Map) {
      return "dict";
    } else if (value instanceof Undefined) {
      return "undefined";
    } else if (value instanceof Callable) {
      return "function";
    }
    return value.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }

  private static String tuple(PythonTuple tuple) {
    String items = tuple.stream().map(PythonText::repr).collect(Collectors.joining(", "));
    return tuple.size() == 1 ? "(" + items + ",)" : "(" + items + ")";
  }

  /** The shortest digits that give the number back, with an exponent where Python writes one. */
  public static String real(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    } else if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal digits = new BigDecimal(shortest(value)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String unscaled = digits.unscaledValue().abs().toString();
    String mantissa =
        unscaled.length() == 1 ? unscaled : unscaled.charAt(0) + "." + unscaled.substring(1);
    int magnitude = Math.abs(exponent);
    return (value < 0 ? "-" : "")
        + mantissa
        + (exponent < 0 ? "e-" : "e+")
        + (magnitude < 10 ? "0" : "")
        + magnitude;
  }

  /** Double.toString isn't the shortest form before JDK 19 (JDK-4511638). */
  private static String shortest(double value) {
    for (int precision = 1; precision < 17; precision++) {
      String digits = String.format(java.util.Locale.ROOT, "%." + (precision - 1) + "e", value);
      if (Double.parseDouble(digits) == value) {
        return digits;
      }
    }
    return String.format(java.util.Locale.ROOT, "%.16e", value);
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder quoted = new StringBuilder().append(quote);
    text.codePoints().forEach(c -> appendQuoted(quoted, c, quote));
    return quoted.append(quote).toString();
  }

  private static void appendQuoted(StringBuilder quoted, int c, char quote) {
    switch (c) {
      case '\n' -> quoted.append("\\n");
      case '\r' -> quoted.append("\\r");
      case '\t' -> quoted.append("\\t");
      case '\\' -> quoted.append("\\\\");
      default -> {
        if (c == quote) {
          quoted.append('\\').append(quote);
        } else if (printable(c)) {
          quoted.appendCodePoint(c);
        } else if (c <= 0xff) {
          quoted.append(String.format("\\x%02x", c));
        } else {
          quoted.append(String.format(c <= 0xffff ? "\\u%04x" : "\\U%08x", c));
        }
      }
    }
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** str.isspace of one character. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  /**
   * str.strip, str.lstrip and str.rstrip.
   *
   * @param characters the set to take away; null for white space
   */
  static String strip(String text, String characters, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && strips(text.codePointAt(start), characters)) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && strips(text.codePointBefore(end), characters)) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static boolean strips(int c, String characters) {
    return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
  }
}
