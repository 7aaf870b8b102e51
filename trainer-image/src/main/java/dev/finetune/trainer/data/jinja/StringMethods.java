package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;

/** The methods of Python's str that templates use. */
final class StringMethods {
  private static final Map<String, BiFunction<String, Arguments, Object>> METHODS =
      Map.ofEntries(
          Map.entry("strip", (text, arguments) -> strip(text, "strip", arguments)),
          Map.entry("lstrip", (text, arguments) -> strip(text, "lstrip", arguments)),
          Map.entry("rstrip", (text, arguments) -> strip(text, "rstrip", arguments)),
          Map.entry("split", (text, arguments) -> split(text, arguments, false)),
          Map.entry("rsplit", (text, arguments) -> split(text, arguments, true)),
          Map.entry("splitlines", StringMethods::splitLines),
          Map.entry("startswith", (text, arguments) -> affix(text, arguments, String::startsWith)),
          Map.entry("endswith", (text, arguments) -> affix(text, arguments, String::endsWith)),
          Map.entry("upper", (text, arguments) -> text.toUpperCase(Locale.ROOT)),
          Map.entry("lower", (text, arguments) -> text.toLowerCase(Locale.ROOT)),
          Map.entry("title", (text, arguments) -> title(text)),
          Map.entry("capitalize", (text, arguments) -> capitalize(text)),
          Map.entry("replace", StringMethods::replace),
          Map.entry("join", StringMethods::join),
          Map.entry("find", StringMethods::find),
          Map.entry("count", StringMethods::count),
          Map.entry("removeprefix", StringMethods::removePrefix),
          Map.entry("removesuffix", StringMethods::removeSuffix),
          Map.entry("isdigit", (text, arguments) -> all(text, Character::isDigit)),
          Map.entry("isalpha", (text, arguments) -> all(text, Character::isLetter)),
          Map.entry("isspace", (text, arguments) -> all(text, PythonText::isSpace)));

  private static final Set<String> UNSUPPORTED =
      Set.of(
          "casefold",
          "center",
          "encode",
          "expandtabs",
          "format",
          "format_map",
          "index",
          "isalnum",
          "isascii",
          "isdecimal",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "istitle",
          "isupper",
          "ljust",
          "maketrans",
          "partition",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "swapcase",
          "translate",
          "zfill");

  private StringMethods() {}

  static Callable find(String text, String name) {
    if (UNSUPPORTED.contains(name)) {
      throw Methods.unsupported("str", name);
    }
    BiFunction<String, Arguments, Object> method = METHODS.get(name);
    return method == null ? null : arguments -> method.apply(text, arguments);
  }

  private static Object strip(String text, String name, Arguments arguments) {
    String characters = arguments.bind("str." + name, "chars").text("chars", null);
    return PythonText.strip(text, characters, !name.equals("rstrip"), !name.equals("lstrip"));
  }

  private static Object split(String text, Arguments arguments, boolean fromRight) {
    Arguments.Bound bound =
        arguments.bind(fromRight ? "str.rsplit" : "str.split", "sep", "maxsplit");
    String separator = bound.text("sep", null);
    Long limit = bound.integer("maxsplit");
    long splits = limit == null || limit < 0 ? Long.MAX_VALUE : limit;
    if (separator == null) {
      return fromRight ? wordsFromRight(text, splits) : words(text, splits);
    } else if (separator.isEmpty()) {
      throw new EvaluationException("str.split: empty separator");
    }
    return fromRight ? partsFromRight(text, separator, splits) : parts(text, separator, splits);
  }

  private static List<Object> parts(String text, String separator, long splits) {
    List<Object> parts = new ArrayList<>();
    int start = 0;
    int found = text.indexOf(separator);
    while (found >= 0 && parts.size() < splits) {
      parts.add(text.substring(start, found));
      start = found + separator.length();
      found = text.indexOf(separator, start);
    }
    parts.add(text.substring(start));
    return parts;
  }

  private static List<Object> partsFromRight(String text, String separator, long splits) {
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    int found = text.lastIndexOf(separator);
    while (found >= 0 && parts.size() < splits) {
      parts.add(0, text.substring(found + separator.length(), end));
      end = found;
      found = end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
    }
    parts.add(0, text.substring(0, end));
    return parts;
  }

  private static List<Object> words(String text, long splits) {
    List<Object> words = new ArrayList<>();
    String rest = PythonText.strip(text, null, true, false);
    while (!rest.isEmpty() && words.size() < splits) {
      int end = 0;
      while (end < rest.length() && !PythonText.isSpace(rest.codePointAt(end))) {
        end += Character.charCount(rest.codePointAt(end));
      }
      words.add(rest.substring(0, end));
      rest = PythonText.strip(rest.substring(end), null, true, false);
    }
    if (!rest.isEmpty()) {
      words.add(PythonText.strip(rest, null, false, true));
    }
    return words;
  }

  private static List<Object> wordsFromRight(String text, long splits) {
    List<Object> words = new ArrayList<>();
    String rest = PythonText.strip(text, null, false, true);
    while (!rest.isEmpty() && words.size() < splits) {
      int start = rest.length();
      while (start > 0 && !PythonText.isSpace(rest.codePointBefore(start))) {
        start -= Character.charCount(rest.codePointBefore(start));
      }
      words.add(0, rest.substring(start));
      rest = PythonText.strip(rest.substring(0, start), null, false, true);
    }
    if (!rest.isEmpty()) {
      words.add(0, PythonText.strip(rest, null, true, false));
    }
    return words;
  }

  private static Object splitLines(String text, Arguments arguments) {
    arguments.bind("str.splitlines");
    List<Object> lines = new ArrayList<>(text.lines().toList());
    return lines;
  }

  private static Object affix(
      String text, Arguments arguments, BiPredicate<String, String> matches) {
    Object affix = arguments.bind("str.startswith or str.endswith", "affix").required("affix");
    List<?> candidates = affix instanceof PythonTuple tuple ? tuple : List.of(affix);
    return candidates.stream().anyMatch(candidate -> matches.test(text, string(candidate)));
  }

  private static String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw new EvaluationException("expected a string, not " + PythonText.typeName(value));
  }

  /** str.title: a letter that follows no letter in upper case, all others in lower case. */
  static String title(String text) {
    StringBuilder titled = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      titled.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return titled.toString();
  }

  /** str.capitalize. */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    return Character.toString(Character.toTitleCase(first))
        + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
  }

  private static Object replace(String text, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("str.replace", "old", "new", "count");
    String old = string(bound.required("old"));
    String replacement = string(bound.required("new"));
    Long count = bound.integer("count");
    if (count == null || count < 0) {
      return text.replace(old, replacement);
    } else if (old.isEmpty()) {
      throw new EvaluationException("str.replace of '' with a count is not supported");
    }
    StringBuilder replaced = new StringBuilder();
    List<Object> parts = parts(text, old, count);
    for (int i = 0; i < parts.size(); i++) {
      replaced.append(i == 0 ? "" : replacement).append(parts.get(i));
    }
    return replaced.toString();
  }

  private static Object join(String separator, Arguments arguments) {
    Object items = arguments.bind("str.join", "iterable").required("iterable");
    List<String> strings = new ArrayList<>();
    Operators.items(items).forEach(item -> strings.add(string(item)));
    return String.join(separator, strings);
  }

  private static Object find(String text, Arguments arguments) {
    int found = text.indexOf(string(arguments.bind("str.find", "sub").required("sub")));
    return found < 0 ? -1L : (long) text.codePointCount(0, found);
  }

  private static Object count(String text, Arguments arguments) {
    String part = string(arguments.bind("str.count", "sub").required("sub"));
    return part.isEmpty()
        ? Operators.length(text) + 1
        : parts(text, part, Long.MAX_VALUE).size() - 1L;
  }

  private static Object removePrefix(String text, Arguments arguments) {
    String prefix = string(arguments.bind("str.removeprefix", "prefix").required("prefix"));
    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
  }

  private static Object removeSuffix(String text, Arguments arguments) {
    String suffix = string(arguments.bind("str.removesuffix", "suffix").required("suffix"));
    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
  }

  private static Object all(String text, java.util.function.IntPredicate property) {
    return !text.isEmpty() && text.codePoints().allMatch(property);
  }
}
