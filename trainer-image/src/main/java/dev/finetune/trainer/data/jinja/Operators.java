package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Python's operators on the values of a template. */
final class Operators {
  private Operators() {}

  /** bool(value). */
  static boolean truth(Object value) {
    if (value == null || value instanceof Undefined) {
      return false;
    } else if (value instanceof Boolean flag) {
      return flag;
    } else if (value instanceof Long number) {
      return number != 0;
    } else if (value instanceof Double number) {
      return number != 0;
    } else if (value instanceof String text) {
      return !text.isEmpty();
    } else if (value instanceof List<?> list) {
      return !list.isEmpty();
    } else if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return true;
  }

  /** left == right. */
  static boolean same(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      boolean reals = isReal(left) || isReal(right);
      return reals ? real(left) == real(right) : integer(left) == integer(right);
    } else if (left instanceof List<?> a && right instanceof List<?> b) {
      return (left instanceof PythonTuple) == (right instanceof PythonTuple) && sameItems(a, b);
    } else if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
      return a.size() == b.size()
          && a.entrySet().stream()
              .allMatch(
                  entry ->
                      b.containsKey(entry.getKey())
                          && same(entry.getValue(), b.get(entry.getKey())));
    }
    return Objects.equals(left, right);
  }

  private static boolean sameItems(List<?> left, List<?> right) {
    Iterator<?> other = right.iterator();
    return left.size() == right.size() && left.stream().allMatch(item -> same(item, other.next()));
  }

  /** The sign of left compared with right, where Python orders them. */
  static int order(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      return isReal(left) || isReal(right)
          ? Double.compare(real(left), real(right))
          : Long.compare(integer(left), integer(right));
    } else if (left instanceof String a && right instanceof String b) {
      return orderByCodePoint(a, b);
    } else if (left instanceof List<?> a && right instanceof List<?> b) {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        if (!same(a.get(i), b.get(i))) {
          return order(a.get(i), b.get(i));
        }
      }
      return Integer.compare(a.size(), b.size());
    }
    defined(left);
    defined(right);
    throw new EvaluationException(
        "can't order " + PythonText.typeName(left) + " and " + PythonText.typeName(right));
  }

  /** Java compares UTF-16 units, which puts emoji before U+FFFD; Python compares code points. */
  private static int orderByCodePoint(String left, String right) {
    int i = 0;
    while (i < left.length() && i < right.length()) {
      int a = left.codePointAt(i);
      int b = right.codePointAt(i);
      if (a != b) {
        return Integer.compare(a, b);
      }
      i += Character.charCount(a);
    }
    return Integer.compare(left.length(), right.length());
  }

  /** item in container. */
  static boolean contains(Object container, Object item) {
    if (container instanceof String text) {
      if (item instanceof String part) {
        return text.contains(part);
      }
      defined(item);
      throw new EvaluationException(
          "'in' a string needs a string on its left, not " + PythonText.typeName(item));
    } else if (container instanceof Map<?, ?> map) {
      return map.containsKey(item);
    } else if (container instanceof Undefined) {
      return false;
    }
    return items(container).stream().anyMatch(candidate -> same(candidate, item));
  }

  /** list(value): characters of a string, keys of a dict, items of a list. */
  static List<Object> items(Object value) {
    if (value instanceof String text) {
      List<Object> characters = new ArrayList<>();
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    } else if (value instanceof Map<?, ?> map) {
      return new ArrayList<>(map.keySet());
    } else if (value instanceof List<?> list) {
      return new ArrayList<>(list);
    } else if (value instanceof Undefined) {
      return List.of();
    }
    throw new EvaluationException(
        "a value of type " + PythonText.typeName(value) + " can't be iterated");
  }

  /** len(value). */
  static long length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    } else if (value instanceof Map<?, ?> map) {
      return map.size();
    } else if (value instanceof List<?> list) {
      return list.size();
    } else if (value instanceof Undefined) {
      return 0;
    }
    throw new EvaluationException(
        "a value of type " + PythonText.typeName(value) + " has no length");
  }

  /** Arithmetic, and + and * on strings and lists. */
  static Object arithmetic(String operator, Object left, Object right) {
    defined(left);
    defined(right);
    if (isNumber(left) && isNumber(right)) {
      boolean reals = isReal(left) || isReal(right) || operator.equals("/");
      return reals
          ? reals(operator, real(left), real(right))
          : integers(operator, integer(left), integer(right));
    } else if (operator.equals("+") && left instanceof String a && right instanceof String b) {
      return a + b;
    } else if (operator.equals("+")
        && left instanceof List<?> a
        && right instanceof List<?> b
        && (left instanceof PythonTuple) == (right instanceof PythonTuple)) {
      List<Object> joined = new ArrayList<>(a);
      joined.addAll(b);
      return left instanceof PythonTuple ? new PythonTuple(joined) : joined;
    } else if (operator.equals("*") && left instanceof String text && right instanceof Long times) {
      return text.repeat(Math.toIntExact(Math.max(0, times)));
    } else if (operator.equals("*") && left instanceof Long times && right instanceof String text) {
      return text.repeat(Math.toIntExact(Math.max(0, times)));
    } else if (operator.equals("%") && left instanceof String) {
      throw new EvaluationException("formatting a string with '%' is not supported");
    }
    throw new EvaluationException(
        "'"
            + operator
            + "' isn't defined for "
            + PythonText.typeName(left)
            + " and "
            + PythonText.typeName(right));
  }

  private static Object integers(String operator, long left, long right) {
    if (right == 0 && (operator.equals("//") || operator.equals("%"))) {
      throw new EvaluationException("division by zero");
    }
    return switch (operator) {
      case "+" -> Math.addExact(left, right);
      case "-" -> Math.subtractExact(left, right);
      case "*" -> Math.multiplyExact(left, right);
      case "//" -> Math.floorDiv(left, right);
      case "%" -> Math.floorMod(left, right);
      default -> power(left, right);
    };
  }

  private static Object power(long base, long exponent) {
    if (exponent < 0) {
      return Math.pow((double) base, (double) exponent);
    }
    return java.math.BigInteger.valueOf(base).pow(Math.toIntExact(exponent)).longValueExact();
  }

  private static Object reals(String operator, double left, double right) {
    if (right == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new EvaluationException("division by zero");
    }
    return switch (operator) {
      case "+" -> left + right;
      case "-" -> left - right;
      case "*" -> left * right;
      case "/" -> left / right;
      case "//" -> Math.floor(left / right);
      case "%" -> left - right * Math.floor(left / right);
      default -> Math.pow(left, right);
    };
  }

  /** -value or +value. */
  static Object sign(String operator, Object value) {
    defined(value);
    if (isReal(value)) {
      return operator.equals("-") ? -real(value) : real(value);
    } else if (isNumber(value)) {
      return operator.equals("-") ? Math.negateExact(integer(value)) : integer(value);
    }
    throw new EvaluationException(
        "'" + operator + "' isn't defined for " + PythonText.typeName(value));
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static boolean isReal(Object value) {
    return value instanceof Double;
  }

  static long integer(Object value) {
    return value instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) value).longValue();
  }

  static double real(Object value) {
    return value instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) value).doubleValue();
  }

  private static void defined(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
  }
}
