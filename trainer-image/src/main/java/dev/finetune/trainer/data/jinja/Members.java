package dev.finetune.trainer.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Attributes, items and slices of values, looked up in Jinja2's order. */
final class Members {
  private Members() {}

  /** {@code target.name}: a method or attribute first, then an item. */
  static Object attribute(Object target, String name) {
    requireDefined(target);
    if (target instanceof Namespace namespace) {
      Map<String, Object> attributes = namespace.attributes();
      return attributes.containsKey(name)
          ? attributes.get(name)
          : Undefined.attribute(target, name);
    }
    if (target instanceof LoopVariables loop) {
      return loop.attribute(name);
    }
    Callable method = Methods.find(target, name);
    if (method != null) {
      return method;
    }
    return target instanceof Map<?, ?> map && map.containsKey(name)
        ? map.get(name)
        : Undefined.attribute(target, name);
  }

  /** {@code target[index]}: an item first, then an attribute of that name. */
  static Object item(Object target, Object index) {
    requireDefined(target);
    if (target instanceof Map<?, ?> map && map.containsKey(index)) {
      return map.get(index);
    }
    if (index instanceof Long position && (target instanceof List || target instanceof String)) {
      List<Object> items = Operators.items(target);
      long i = position < 0 ? position + items.size() : position;
      return i >= 0 && i < items.size()
          ? items.get((int) i)
          : Undefined.attribute(target, position);
    }
    return index instanceof String name
        ? attribute(target, name)
        : Undefined.attribute(target, index);
  }

  /** {@code target[start:stop:step]} of a list, tuple or string. */
  static Object slice(Object target, Object start, Object stop, Object step) {
    requireDefined(target);
    if (!(target instanceof List) && !(target instanceof String)) {
      throw new EvaluationException(
          "a value of type " + PythonText.typeName(target) + " can't be sliced");
    }
    List<Object> items = Operators.items(target);
    int size = items.size();
    long stride = bound(step, 1);
    if (stride == 0) {
      throw new EvaluationException("a slice's step can't be 0");
    }
    boolean forward = stride > 0;
    long from = clamp(bound(start, forward ? 0 : size - 1L), size, forward, start == null);
    long to = clamp(bound(stop, forward ? size : -1), size, forward, stop == null);
    List<Object> part = new ArrayList<>();
    for (long i = from; forward ? i < to : i > to; i += stride) {
      part.add(items.get((int) i));
    }
    if (target instanceof String) {
      StringBuilder text = new StringBuilder();
      part.forEach(text::append);
      return text.toString();
    }
    return target instanceof PythonTuple ? new PythonTuple(part) : part;
  }

  /** Python's slice.indices: negative bounds count from the end, and all are kept in range. */
  private static long clamp(long bound, int size, boolean forward, boolean unset) {
    if (unset) {
      return bound;
    }
    long fromStart = bound < 0 ? bound + size : bound;
    return forward
        ? Math.max(0, Math.min(size, fromStart))
        : Math.max(-1, Math.min(size - 1L, fromStart));
  }

  private static long bound(Object value, long otherwise) {
    if (value == null) {
      return otherwise;
    } else if (value instanceof Long number) {
      return number;
    }
    throw new EvaluationException(
        "a slice's bounds must be integers, not " + PythonText.typeName(value));
  }

  private static void requireDefined(Object target) {
    if (target instanceof Undefined undefined) {
      throw undefined.used();
    }
  }
}
