package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The methods of Python's dict and list; those of str are {@link StringMethods}. */
final class Methods {
  private static final Set<String> DICT = Set.of("get", "items", "keys", "values", "copy");
  private static final Set<String> DICT_UNSUPPORTED =
      Set.of("clear", "fromkeys", "pop", "popitem", "setdefault", "update");
  private static final Set<String> LIST = Set.of("index", "count", "copy");
  // Jinja's immutable sandbox, which transformers uses, refuses the methods that change a value.
  private static final Set<String> LIST_UNSUPPORTED =
      Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");

  private Methods() {}

  /**
   * A method bound to its object, or null where the type has none of that name.
   *
   * @throws EvaluationException if Python has it and this interpreter hasn't
   */
  static Callable find(Object target, String name) {
    if (target instanceof String text) {
      return StringMethods.find(text, name);
    } else if (target instanceof Map<?, ?> map) {
      // A key may be named like a method that isn't there.
      if (DICT_UNSUPPORTED.contains(name) && !map.containsKey(name)) {
        throw unsupported("dict", name);
      }
      return DICT.contains(name) ? arguments -> dict(map, name, arguments) : null;
    } else if (target instanceof List<?> list) {
      if (LIST_UNSUPPORTED.contains(name)) {
        throw unsupported("list", name);
      }
      return LIST.contains(name) ? arguments -> list(list, name, arguments) : null;
    }
    return null;
  }

  static EvaluationException unsupported(String type, String name) {
    return new EvaluationException("the method " + type + "." + name + " is not supported");
  }

  private static Object dict(Map<?, ?> map, String name, Arguments arguments) {
    if (name.equals("get")) {
      Arguments.Bound bound = arguments.bind("dict.get", "key", "default");
      Object key = bound.required("key");
      return map.containsKey(key) ? map.get(key) : bound.optional("default", null);
    }
    arguments.bind("dict." + name);
    return switch (name) {
      case "items" -> items(map);
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      default -> new LinkedHashMap<Object, Object>(map);
    };
  }

  /** The pairs of a dict. */
  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, value) -> items.add(PythonTuple.of(key, value)));
    return items;
  }

  private static Object list(List<?> list, String name, Arguments arguments) {
    if (name.equals("copy")) {
      arguments.bind("list.copy");
      return new ArrayList<Object>(list);
    }
    Object wanted = arguments.bind("list." + name, "value").required("value");
    if (name.equals("count")) {
      return list.stream().filter(item -> Operators.same(item, wanted)).count();
    }
    for (int i = 0; i < list.size(); i++) {
      if (Operators.same(list.get(i), wanted)) {
        return (long) i;
      }
    }
    throw new EvaluationException(PythonText.repr(wanted) + " is not in the list");
  }
}
