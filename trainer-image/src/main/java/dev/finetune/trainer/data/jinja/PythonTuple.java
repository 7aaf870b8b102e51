package dev.finetune.trainer.data.jinja;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;

/** A tuple: a list that prints with parentheses and equals tuples only. */
final class PythonTuple extends AbstractList<Object> {
  private final Object[] items;

  PythonTuple(List<?> items) {
    this.items = items.toArray();
  }

  static PythonTuple of(Object... items) {
    return new PythonTuple(Arrays.asList(items));
  }

  @Override
  public Object get(int index) {
    return items[index];
  }

  @Override
  public int size() {
    return items.length;
  }
}
