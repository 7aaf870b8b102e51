package dev.finetune.trainer.data.jinja;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The functions that every template sees: Jinja2's and the two that transformers adds. */
final class Globals {
  private static final Map<String, String> DATE_PATTERNS =
      Map.ofEntries(
          Map.entry("a", "EEE"),
          Map.entry("A", "EEEE"),
          Map.entry("b", "MMM"),
          Map.entry("B", "MMMM"),
          Map.entry("d", "dd"),
          Map.entry("H", "HH"),
          Map.entry("I", "hh"),
          Map.entry("j", "DDD"),
          Map.entry("m", "MM"),
          Map.entry("M", "mm"),
          Map.entry("p", "a"),
          Map.entry("S", "ss"),
          Map.entry("y", "yy"),
          Map.entry("Y", "uuuu"));
  private static final Pattern DIRECTIVE = Pattern.compile("%(.?)", Pattern.DOTALL);
  private static final Set<String> UNSUPPORTED = Set.of("cycler", "joiner", "lipsum", "self");
  private static final long LONGEST_RANGE = 100_000;

  private Globals() {}

  static Scope scope(Clock clock) {
    Scope scope = new Scope(null);
    scope.bind("range", (Callable) Globals::range);
    scope.bind("dict", (Callable) Globals::dict);
    scope.bind("namespace", (Callable) Globals::namespace);
    scope.bind("raise_exception", (Callable) Globals::raise);
    scope.bind("strftime_now", (Callable) arguments -> now(clock, arguments));
    return scope;
  }

  /** Whether Jinja2 has a function of that name that isn't here. */
  static boolean unsupported(String name) {
    return UNSUPPORTED.contains(name);
  }

  private static Object range(Arguments arguments) {
    List<Object> bounds = arguments.positional();
    if (bounds.isEmpty()
        || bounds.size() > 3
        || !bounds.stream().allMatch(Long.class::isInstance)) {
      throw new EvaluationException("range needs one to three integers");
    }
    long start = bounds.size() == 1 ? 0 : (Long) bounds.get(0);
    long stop = (Long) bounds.get(bounds.size() == 1 ? 0 : 1);
    long step = bounds.size() == 3 ? (Long) bounds.get(2) : 1;
    if (step == 0) {
      throw new EvaluationException("range's step can't be 0");
    }
    if ((double) (stop - start) / step > LONGEST_RANGE) {
      throw new EvaluationException("range gives more than " + LONGEST_RANGE + " numbers");
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      numbers.add(i);
    }
    return numbers;
  }

  private static Object dict(Arguments arguments) {
    Map<Object, Object> dict = new LinkedHashMap<>();
    for (Object base : arguments.positional()) {
      if (!(base instanceof Map<?, ?> map)) {
        throw new EvaluationException("dict needs a dict, not " + PythonText.typeName(base));
      }
      dict.putAll(map);
    }
    dict.putAll(arguments.keywords());
    return dict;
  }

  private static Object namespace(Arguments arguments) {
    Namespace namespace = new Namespace();
    ((Map<?, ?>) dict(arguments))
        .forEach((key, value) -> namespace.attributes().put(PythonText.str(key), value));
    return namespace;
  }

  private static Object raise(Arguments arguments) {
    Object message = arguments.bind("raise_exception", "message").required("message");
    throw new EvaluationException(PythonText.str(message));
  }

  private static Object now(Clock clock, Arguments arguments) {
    String format = arguments.bind("strftime_now", "format").text("format", "");
    ZonedDateTime now = ZonedDateTime.now(clock);
    return DIRECTIVE
        .matcher(format)
        .replaceAll(match -> Matcher.quoteReplacement(formatted(now, match.group(1))));
  }

  private static String formatted(ZonedDateTime now, String directive) {
    if (directive.equals("%")) {
      return directive;
    }
    String pattern = DATE_PATTERNS.get(directive);
    if (pattern == null) {
      throw new EvaluationException("strftime_now's '%" + directive + "' is not supported");
    }
    return DateTimeFormatter.ofPattern(pattern, Locale.US).format(now);
  }
}
