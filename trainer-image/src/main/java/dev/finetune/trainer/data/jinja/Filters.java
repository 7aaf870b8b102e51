package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** Jinja2's filters, as far as chat templates use them, and transformers' tojson. */
final class Filters {
  private static final Map<String, BiFunction<Object, Arguments, Object>> FILTERS =
      Map.ofEntries(
          Map.entry("tojson", Json::dumps),
          Map.entry("trim", Filters::trim),
          Map.entry("default", Filters::defaultValue),
          Map.entry("d", Filters::defaultValue),
          Map.entry("join", Filters::join),
          Map.entry("replace", Filters::replace),
          Map.entry("indent", Filters::indent),
          Map.entry("sort", Filters::sort),
          Map.entry("map", Filters::map),
          Map.entry("select", (value, a) -> select(value, a, true)),
          Map.entry("reject", (value, a) -> select(value, a, false)),
          Map.entry("selectattr", (value, a) -> selectAttribute(value, a, true)),
          Map.entry("rejectattr", (value, a) -> selectAttribute(value, a, false)),
          Map.entry("round", Filters::round),
          Map.entry("int", Filters::integer),
          Map.entry("dictsort", Filters::dictSort),
          plain("upper", value -> PythonText.str(value).toUpperCase(Locale.ROOT)),
          plain("lower", value -> PythonText.str(value).toLowerCase(Locale.ROOT)),
          plain("title", value -> StringMethods.title(PythonText.str(value))),
          plain("capitalize", value -> StringMethods.capitalize(PythonText.str(value))),
          plain("string", PythonText::str),
          plain("length", Operators::length),
          plain("count", Operators::length),
          plain("list", Operators::items),
          plain("first", value -> end(value, true)),
          plain("last", value -> end(value, false)),
          plain("reverse", Filters::reverse),
          plain("unique", Filters::unique),
          plain("sum", Filters::sum),
          plain("min", value -> extreme(value, -1)),
          plain("max", value -> extreme(value, 1)),
          plain("abs", Filters::abs),
          plain("items", Filters::items),
          plain("safe", value -> value));

  private Filters() {}

  static boolean known(String name) {
    return FILTERS.containsKey(name);
  }

  static Object apply(String name, Object value, Arguments arguments) {
    BiFunction<Object, Arguments, Object> filter = FILTERS.get(name);
    if (filter == null) {
      throw new EvaluationException("the filter '" + name + "' is not supported");
    }
    return filter.apply(value, arguments);
  }

  private static Map.Entry<String, BiFunction<Object, Arguments, Object>> plain(
      String name, java.util.function.Function<Object, Object> filter) {
    return Map.entry(
        name,
        (value, arguments) -> {
          arguments.bind(name);
          return filter.apply(value);
        });
  }

  private static Object trim(Object value, Arguments arguments) {
    String characters = arguments.bind("trim", "chars").text("chars", null);
    return PythonText.strip(PythonText.str(value), characters, true, true);
  }

  private static Object defaultValue(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("default", "default_value", "boolean");
    boolean missing =
        value instanceof Undefined || (bound.flag("boolean", false) && !Operators.truth(value));
    return missing ? bound.optional("default_value", "") : value;
  }

  private static Object join(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("join", "d", "attribute");
    Object attribute = bound.optional("attribute", null);
    List<String> parts = new ArrayList<>();
    for (Object item : Operators.items(value)) {
      parts.add(PythonText.str(attribute == null ? item : path(item, attribute)));
    }
    return String.join(bound.text("d", ""), parts);
  }

  private static Object replace(Object value, Arguments arguments) {
    String text = PythonText.str(value);
    return StringMethods.find(text, "replace").call(arguments);
  }

  private static Object indent(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("indent", "width", "first", "blank");
    Object width = bound.optional("width", 4L);
    String margin =
        width instanceof Long spaces ? " ".repeat(Math.toIntExact(spaces)) : PythonText.str(width);
    boolean blank = bound.flag("blank", false);
    StringBuilder indented = new StringBuilder();
    String[] lines = PythonText.str(value).split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean wanted = i == 0 ? bound.flag("first", false) : blank || !lines[i].isEmpty();
      indented.append(i == 0 ? "" : "\n").append(wanted ? margin : "").append(lines[i]);
    }
    return indented.toString();
  }

  private static Object sort(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
    Object attribute = bound.optional("attribute", null);
    boolean caseSensitive = bound.flag("case_sensitive", false);
    Comparator<Object> order =
        Comparator.comparing(
            item -> folded(attribute == null ? item : path(item, attribute), caseSensitive),
            Operators::order);
    List<Object> items = new ArrayList<>(Operators.items(value));
    items.sort(bound.flag("reverse", false) ? order.reversed() : order);
    return items;
  }

  private static Object folded(Object value, boolean caseSensitive) {
    return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static Object map(Object value, Arguments arguments) {
    List<Object> mapped = new ArrayList<>();
    if (arguments.keywords().containsKey("attribute")) {
      Arguments.Bound bound = arguments.bind("map", "attribute", "default");
      for (Object item : Operators.items(value)) {
        Object found = path(item, bound.required("attribute"));
        mapped.add(found instanceof Undefined ? bound.optional("default", found) : found);
      }
      return mapped;
    }
    String filter = name(arguments, "map");
    Arguments rest = rest(arguments, 1);
    Operators.items(value).forEach(item -> mapped.add(apply(filter, item, rest)));
    return mapped;
  }

  private static Object select(Object value, Arguments arguments, boolean wanted) {
    Predicate<Object> test =
        arguments.isEmpty()
            ? Operators::truth
            : item -> Tests.apply(name(arguments, "select"), item, rest(arguments, 1));
    return matching(value, test, wanted);
  }

  private static Object selectAttribute(Object value, Arguments arguments, boolean wanted) {
    String attribute = name(arguments, "selectattr");
    Arguments rest = rest(arguments, 1);
    Predicate<Object> test =
        rest.isEmpty()
            ? Operators::truth
            : item -> Tests.apply(name(rest, "selectattr"), item, rest(rest, 1));
    return matching(value, item -> test.test(path(item, attribute)), wanted);
  }

  private static Object matching(Object value, Predicate<Object> test, boolean wanted) {
    List<Object> chosen = new ArrayList<>();
    for (Object item : Operators.items(value)) {
      if (test.test(item) == wanted) {
        chosen.add(item);
      }
    }
    return chosen;
  }

  /** An attribute given as {@code "a.b"} or as an index. */
  private static Object path(Object item, Object attribute) {
    if (!(attribute instanceof String text)) {
      return Members.item(item, attribute);
    }
    Object value = item;
    for (String part : text.split("\\.", -1)) {
      boolean index = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
      value = Members.item(value, index ? (Object) Long.valueOf(part) : part);
    }
    return value;
  }

  private static String name(Arguments arguments, String filter) {
    if (!arguments.positional().isEmpty() && arguments.positional().get(0) instanceof String text) {
      return text;
    }
    throw new EvaluationException(filter + " needs a name as its first argument");
  }

  private static Arguments rest(Arguments arguments, int from) {
    List<Object> positional = arguments.positional();
    return new Arguments(positional.subList(from, positional.size()), arguments.keywords());
  }

  private static Object round(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("round", "precision", "method");
    String method = bound.text("method", "common");
    Long precision = bound.integer("precision");
    java.math.RoundingMode mode =
        switch (method) {
          case "ceil" -> java.math.RoundingMode.CEILING;
          case "floor" -> java.math.RoundingMode.FLOOR;
          case "common" -> java.math.RoundingMode.HALF_EVEN;
          default -> throw new EvaluationException("round has no method '" + method + "'");
        };
    if (!Operators.isNumber(value)) {
      throw new EvaluationException("round needs a number, not " + PythonText.typeName(value));
    }
    int digits = precision == null ? 0 : Math.toIntExact(precision);
    return new java.math.BigDecimal(Operators.real(value)).setScale(digits, mode).doubleValue();
  }

  private static Object integer(Object value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("int", "default");
    if (Operators.isNumber(value)) {
      return Operators.isReal(value) ? (long) Operators.real(value) : Operators.integer(value);
    }
    String text = PythonText.strip(PythonText.str(value), null, true, true);
    try {
      return Long.valueOf(text);
    } catch (NumberFormatException e) {
      return decimal(text, bound.optional("default", 0L));
    }
  }

  private static Object decimal(String text, Object otherwise) {
    try {
      return (long) Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static Object dictSort(Object value, Arguments arguments) {
    arguments.bind("dictsort");
    List<Object> items = new ArrayList<>(Methods.items(mapping(value, "dictsort")));
    items.sort(
        Comparator.comparing(item -> folded(((List<?>) item).get(0), false), Operators::order));
    return items;
  }

  private static Object items(Object value) {
    return value instanceof Undefined ? List.of() : Methods.items(mapping(value, "items"));
  }

  private static Map<?, ?> mapping(Object value, String filter) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new EvaluationException(filter + " needs a dict, not " + PythonText.typeName(value));
  }

  private static Object end(Object value, boolean first) {
    List<Object> items = Operators.items(value);
    if (items.isEmpty()) {
      return new Undefined("an empty sequence has no " + (first ? "first" : "last") + " item");
    }
    return items.get(first ? 0 : items.size() - 1);
  }

  private static Object reverse(Object value) {
    if (value instanceof String) {
      return Members.slice(value, null, null, -1L);
    }
    List<Object> items = new ArrayList<>(Operators.items(value));
    java.util.Collections.reverse(items);
    return items;
  }

  private static Object unique(Object value) {
    Map<Object, Object> seen = new LinkedHashMap<>();
    Operators.items(value).forEach(item -> seen.putIfAbsent(folded(item, false), item));
    return new ArrayList<>(seen.values());
  }

  private static Object sum(Object value) {
    Object total = 0L;
    for (Object item : Operators.items(value)) {
      total = Operators.arithmetic("+", total, item);
    }
    return total;
  }

  private static Object extreme(Object value, int sign) {
    return Operators.items(value).stream()
        .max((a, b) -> sign * Operators.order(folded(a, false), folded(b, false)))
        .orElseGet(() -> new Undefined("an empty sequence has no smallest or largest item"));
  }

  private static Object abs(Object value) {
    return Operators.truth(value) && Operators.order(value, 0L) < 0
        ? Operators.sign("-", value)
        : Operators.sign("+", value);
  }
}
