package dev.finetune.trainer.method;

import dev.finetune.trainer.engine.ScriptValue;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.function.BooleanSupplier;

/**
 * Hands tensors from one stage's thread to another's, in order. The sender waits where too many lie
 * in it, the receiver where none does. When it's broken, both get a {@link Broken}.
 */
final class Channel implements AutoCloseable {
  /** The other side failed. */
  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Broken() {
      super("another stage failed");
    }
  }

  private final int capacity;
  private final Queue<ScriptValue> values = new ArrayDeque<>();
  private boolean ended;
  private boolean broken;

  /**
   * @param capacity how many may lie in it
   */
  Channel(int capacity) {
    this.capacity = capacity;
  }

  /** Hands a value over, which the receiver closes. */
  synchronized void send(ScriptValue value) {
    awaitUntil(() -> values.size() < capacity || broken);
    if (broken) {
      value.close();
      throw new Broken();
    }
    values.add(value);
    notifyAll();
  }

  /** Says that no more values come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** The next value; empty when no more come. */
  synchronized Optional<ScriptValue> receive() {
    awaitUntil(() -> !values.isEmpty() || ended || broken);
    if (broken) {
      throw new Broken();
    }
    notifyAll();
    return Optional.ofNullable(values.poll());
  }

  private synchronized void awaitUntil(BooleanSupplier condition) {
    try {
      while (!condition.getAsBoolean()) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts a stage's thread", e);
    }
  }

  /** Breaks it, and frees what nobody received. */
  @Override
  public synchronized void close() {
    broken = true;
    values.forEach(ScriptValue::close);
    values.clear();
    notifyAll();
  }
}
