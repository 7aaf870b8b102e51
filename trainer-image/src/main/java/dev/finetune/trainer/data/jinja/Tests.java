package dev.finetune.trainer.data.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiPredicate;

/** The tests behind {@code is}, and behind select and reject. */
final class Tests {
  private static final Map<String, BiPredicate<Object, Arguments>> TESTS =
      Map.ofEntries(
          plain("defined", value -> !(value instanceof Undefined)),
          plain("undefined", value -> value instanceof Undefined),
          plain("none", value -> value == null),
          plain("boolean", value -> value instanceof Boolean),
          plain("true", value -> Boolean.TRUE.equals(value)),
          plain("false", value -> Boolean.FALSE.equals(value)),
          plain("integer", value -> value instanceof Long),
          plain("float", value -> value instanceof Double),
          plain("number", Operators::isNumber),
          plain("string", value -> value instanceof String),
          plain("mapping", value -> value instanceof Map),
          plain("sequence", Tests::iterable),
          plain("iterable", Tests::iterable),
          plain("callable", value -> value instanceof Callable),
          plain("odd", value -> parity(value) == 1),
          plain("even", value -> parity(value) == 0),
          plain("lower", value -> cased(value) && text(value).equals(lower(value))),
          plain("upper", value -> cased(value) && text(value).equals(upper(value))),
          binary("divisibleby", (value, by) -> remainder(value, by) == 0),
          binary("eq", Operators::same),
          binary("equalto", Operators::same),
          binary("ne", (value, other) -> !Operators.same(value, other)),
          binary("lt", (value, other) -> Operators.order(value, other) < 0),
          binary("lessthan", (value, other) -> Operators.order(value, other) < 0),
          binary("le", (value, other) -> Operators.order(value, other) <= 0),
          binary("gt", (value, other) -> Operators.order(value, other) > 0),
          binary("greaterthan", (value, other) -> Operators.order(value, other) > 0),
          binary("ge", (value, other) -> Operators.order(value, other) >= 0),
          binary("in", (value, container) -> Operators.contains(container, value)),
          binary("sameas", Tests::identical));

  private Tests() {}

  static boolean known(String name) {
    return TESTS.containsKey(name);
  }

  static boolean apply(String name, Object value, Arguments arguments) {
    BiPredicate<Object, Arguments> test = TESTS.get(name);
    if (test == null) {
      throw new EvaluationException("the test '" + name + "' is not supported");
    }
    return test.test(value, arguments);
  }

  private static Map.Entry<String, BiPredicate<Object, Arguments>> plain(
      String name, java.util.function.Predicate<Object> test) {
    return Map.entry(
        name,
        (value, arguments) -> {
          arguments.bind("the test '" + name + "'");
          return test.test(value);
        });
  }

  private static Map.Entry<String, BiPredicate<Object, Arguments>> binary(
      String name, BiPredicate<Object, Object> test) {
    return Map.entry(
        name,
        (value, arguments) ->
            test.test(value, arguments.bind("the test '" + name + "'", "other").required("other")));
  }

  private static boolean iterable(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Map
        || value instanceof Undefined;
  }

  /** Python's {@code is}: equal values of one type for what is immutable, else the same object. */
  private static boolean identical(Object left, Object right) {
    if (left == null || right == null) {
      return left == right;
    }
    boolean immutable = left instanceof String || left instanceof Boolean || left instanceof Long;
    return immutable ? left.equals(right) : left == right;
  }

  private static long parity(Object value) {
    return remainder(value, 2L);
  }

  private static long remainder(Object value, Object by) {
    return ((Number) Operators.arithmetic("%", value, by)).longValue();
  }

  private static String text(Object value) {
    return PythonText.str(value);
  }

  private static String lower(Object value) {
    return text(value).toLowerCase(Locale.ROOT);
  }

  private static String upper(Object value) {
    return text(value).toUpperCase(Locale.ROOT);
  }

  private static boolean cased(Object value) {
    return !lower(value).equals(upper(value));
  }
}
