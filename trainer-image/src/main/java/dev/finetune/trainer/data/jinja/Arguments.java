package dev.finetune.trainer.data.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The evaluated arguments of a call.
 *
 * @param positional in order
 * @param keywords by name
 */
record Arguments(List<Object> positional, Map<String, Object> keywords) {
  /** Whether there are none. */
  boolean isEmpty() {
    return positional.isEmpty() && keywords.isEmpty();
  }

  /**
   * Binds the arguments to a function's parameters, all of them optional.
   *
   * @param function its name, for messages
   * @param names the parameters in order
   */
  Bound bind(String function, String... names) {
    if (positional.size() > names.length) {
      throw new EvaluationException(
          function + " takes at most " + names.length + " arguments, not " + positional.size());
    }
    Map<String, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < positional.size(); i++) {
      values.put(names[i], positional.get(i));
    }
    List<String> known = List.of(names);
    keywords.forEach(
        (name, value) -> {
          if (!known.contains(name)) {
            throw new EvaluationException(function + " has no argument '" + name + "'");
          }
          if (values.containsKey(name)) {
            throw new EvaluationException(function + " got two values for '" + name + "'");
          }
          values.put(name, value);
        });
    return new Bound(function, values);
  }

  /** The arguments with one more, by name. */
  Arguments with(String name, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(keywords);
    all.put(name, value);
    return new Arguments(positional, all);
  }

  /**
   * Arguments by the names of their parameters.
   *
   * @param function the function's name, for messages
   * @param values those that were given
   */
  record Bound(String function, Map<String, Object> values) {
    boolean has(String name) {
      return values.containsKey(name);
    }

    Object required(String name) {
      if (!has(name)) {
        throw new EvaluationException(function + " needs the argument '" + name + "'");
      }
      return values.get(name);
    }

    Object optional(String name, Object otherwise) {
      return has(name) ? values.get(name) : otherwise;
    }

    String text(String name, String otherwise) {
      Object value = optional(name, otherwise);
      if (value == null || value instanceof String) {
        return (String) value;
      }
      throw wrongType(name, "a string", value);
    }

    /** An integer argument; None and a missing one give null. */
    Long integer(String name) {
      Object value = optional(name, null);
      if (value == null || value instanceof Long) {
        return (Long) value;
      }
      throw wrongType(name, "an integer", value);
    }

    boolean flag(String name, boolean otherwise) {
      return has(name) ? Operators.truth(values.get(name)) : otherwise;
    }

    private EvaluationException wrongType(String name, String wanted, Object value) {
      return new EvaluationException(
          function + ": '" + name + "' must be " + wanted + ", not " + PythonText.typeName(value));
    }
  }
}
