package dev.finetune.trainer.data.jinja;

import java.util.HashMap;
import java.util.Map;

/** Names and their values, inside the scope around it. What is bound inside isn't seen outside. */
final class Scope {
  private final Scope outer;
  private final Map<String, Object> values = new HashMap<>();

  Scope(Scope outer) {
    this.outer = outer;
  }

  void bind(String name, Object value) {
    values.put(name, value);
  }

  /** The value of a name, or an {@link Undefined}. */
  Object lookup(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      if (scope.values.containsKey(name)) {
        return scope.values.get(name);
      }
    }
    return Undefined.name(name);
  }
}
