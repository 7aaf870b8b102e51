package dev.finetune.chart;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A value of values.yaml with the comment above it.
 *
 * @param path keys from the root, joined by dots
 * @param comment what it means
 * @param preset the default
 */
record DocumentedValue(String path, String comment, JsonNode preset) {
  private static final Pattern KEY = Pattern.compile("^( *)([A-Za-z]+):.*$");
  private static final Pattern COMMENT = Pattern.compile("^ *# ?(.*)$");

  /** All values that have a comment and hold none that has, in the file's order. */
  static List<DocumentedValue> all(Chart chart) {
    JsonNode values = chart.yaml("values.yaml");
    List<DocumentedValue> commented = commented(chart.text("values.yaml"), values);
    return commented.stream()
        .filter(each -> commented.stream().noneMatch(other -> other.isBelow(each.path)))
        .toList();
  }

  boolean isBelow(String ancestor) {
    return path.startsWith(ancestor + ".");
  }

  private static List<DocumentedValue> commented(String text, JsonNode values) {
    var found = new ArrayList<DocumentedValue>();
    var comment = new ArrayList<String>();
    Deque<String> keys = new ArrayDeque<>();
    for (String line : text.lines().toList()) {
      Matcher remark = COMMENT.matcher(line);
      Matcher key = KEY.matcher(line);
      if (remark.matches()) {
        comment.add(remark.group(1));
      } else if (key.matches()) {
        int depth = key.group(1).length() / 2;
        while (keys.size() > depth) {
          keys.removeLast();
        }
        keys.addLast(key.group(2));
        if (!comment.isEmpty()) {
          found.add(value(keys, comment, values));
        }
        comment.clear();
      } else {
        comment.clear();
      }
    }
    return found;
  }

  private static DocumentedValue value(Deque<String> keys, List<String> comment, JsonNode values) {
    JsonNode preset = values.at(keys.stream().collect(Collectors.joining("/", "/", "")));
    return new DocumentedValue(String.join(".", keys), String.join(" ", comment), preset);
  }
}
