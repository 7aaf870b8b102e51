package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Python's json.dumps, as transformers' tojson filter calls it (ensure_ascii off, nothing escaped
 * for HTML).
 */
final class Json {
  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;

  private Json(
      boolean ascii, String indent, String itemSeparator, String keySeparator, boolean sorted) {
    this.ascii = ascii;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.sorted = sorted;
  }

  /** The tojson filter. */
  static String dumps(Object value, Arguments arguments) {
    Arguments.Bound bound =
        arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    String indent = indent(bound.optional("indent", null));
    String itemSeparator = indent == null ? ", " : ",";
    String keySeparator = ": ";
    if (bound.optional("separators", null) instanceof List<?> separators
        && separators.size() == 2) {
      itemSeparator = PythonText.str(separators.get(0));
      keySeparator = PythonText.str(separators.get(1));
    }
    Json json =
        new Json(
            bound.flag("ensure_ascii", false),
            indent,
            itemSeparator,
            keySeparator,
            bound.flag("sort_keys", false));
    StringBuilder out = new StringBuilder();
    json.append(out, value, 0);
    return out.toString();
  }

  private static String indent(Object indent) {
    return indent instanceof Long width
        ? " ".repeat(Math.toIntExact(Math.max(0, width)))
        : (String) indent;
  }

  private void append(StringBuilder out, Object value, int depth) {
    if (value == null) {
      out.append("null");
    } else if (value instanceof Boolean || value instanceof Long) {
      out.append(value);
    } else if (value instanceof Double number) {
      out.append(real(number));
    } else if (value instanceof String text) {
      string(out, text);
    } else if (value instanceof List<?> list) {
      List<Runnable> items = new ArrayList<>();
      list.forEach(item -> items.add(() -> append(out, item, depth + 1)));
      container(out, '[', items, ']', depth);
    } else if (value instanceof Map<?, ?> map) {
      List<Runnable> items = new ArrayList<>();
      entries(map).forEach(entry -> items.add(() -> entry(out, entry, depth + 1)));
      container(out, '{', items, '}', depth);
    } else {
      throw new EvaluationException(
          "tojson: a value of type " + PythonText.typeName(value) + " has no JSON form");
    }
  }

  private List<Map.Entry<?, ?>> entries(Map<?, ?> map) {
    List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
    if (sorted) {
      entries.sort(Comparator.comparing(Map.Entry::getKey, Operators::order));
    }
    return entries;
  }

  private void entry(StringBuilder out, Map.Entry<?, ?> entry, int depth) {
    string(out, entry.getKey() instanceof String key ? key : key(entry.getKey()));
    out.append(keySeparator);
    append(out, entry.getValue(), depth);
  }

  private String key(Object key) {
    StringBuilder out = new StringBuilder();
    append(out, key, 0);
    return out.toString();
  }

  private void container(
      StringBuilder out, char opening, List<Runnable> items, char closing, int depth) {
    out.append(opening);
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : itemSeparator);
      newLine(out, depth + 1);
      items.get(i).run();
    }
    if (!items.isEmpty()) {
      newLine(out, depth);
    }
    out.append(closing);
  }

  private void newLine(StringBuilder out, int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private static String real(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "Infinity" : "-Infinity";
    }
    return PythonText.real(value);
  }

  private void string(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < 0x20 || (ascii && c > 0x7e)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
