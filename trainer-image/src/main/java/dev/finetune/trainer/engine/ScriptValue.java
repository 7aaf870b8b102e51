package dev.finetune.trainer.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * A value that lives in TorchScript: a result of one call that is an argument of others, such as a
 * model's weights. To be closed; what it holds is freed when nothing refers to it any more.
 */
public final class ScriptValue implements AutoCloseable {
  private static final AtomicLong OPEN = new AtomicLong();

  private final IValue value;
  private boolean closed;

  ScriptValue(IValue value) {
    this.value = value;
    OPEN.incrementAndGet();
  }

  /** Its type in TorchScript, such as {@code Dict(str, Tensor)}. */
  public String type() {
    return value.getType();
  }

  /**
   * Lends the native tensor to a native library. It shares the script's memory, so what is written
   * to it is what the script sees.
   *
   * @param borrower gets the address of the {@code at::Tensor}, which is valid until it returns
   * @throws IllegalArgumentException if the value isn't a tensor
   */
  public void lendTensor(LongConsumer borrower) {
    IValue kept = value();
    if (!kept.isTensor()) {
      throw new IllegalArgumentException("not a tensor but " + kept.getType());
    }
    try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        PtNDArray tensor = kept.toTensor((PtNDManager) arrays)) {
      borrower.accept(tensor.getHandle());
    }
  }

  IValue value() {
    if (closed) {
      throw new IllegalStateException("the script value is closed");
    }
    return value;
  }

  /** How many are open in the process; a steady number means that nothing leaks. */
  public static long open() {
    return OPEN.get();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      OPEN.decrementAndGet();
      value.close();
    }
  }
}
