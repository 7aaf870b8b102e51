package dev.finetune.trainer.engine;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.ScriptBridge;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A TorchScript module compiled from source, and calls of its methods. Arguments are Long, Integer,
 * Double, Boolean, String, long[], a {@link HostTensor} of F32 or I64, a {@link ScriptValue}, or a
 * List or Map (by String) of them; a list that isn't of long must have an element, since its type
 * is its first element's.
 *
 * <p>A method that fails throws {@link EngineException} with the script's line; {@link
 * DeviceMemoryException} if memory ran out. Used by one thread at a time.
 */
public final class TorchScript implements AutoCloseable {
  private final PtNDManager arrays;
  private final PtSymbolBlock module;

  private TorchScript(PtNDManager arrays, PtSymbolBlock module) {
    this.arrays = arrays;
    this.module = module;
  }

  /**
   * Compiles a module.
   *
   * @param className its class
   * @param source TorchScript in the serialized form
   * @throws EngineException with line and column, if it doesn't compile
   */
  public static TorchScript compile(String className, String source) {
    TorchRuntime.start();
    PtNDManager arrays = (PtNDManager) NDManager.newBaseManager(Device.cpu(), "PyTorch");
    boolean mapToDevice = false;
    boolean hasSize = false;
    try (ByteArrayInputStream archive =
        new ByteArrayInputStream(ScriptArchive.of(className, source))) {
      return new TorchScript(arrays, JniUtils.loadModule(arrays, archive, mapToDevice, hasSize));
    } catch (IOException e) {
      arrays.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      arrays.close();
      throw e;
    }
  }

  /** Runs a method and keeps its result in the script. */
  public ScriptValue call(String method, Object... arguments) {
    return new ScriptValue(invoke(method, arguments));
  }

  /** Runs a method that returns None. */
  public void run(String method, Object... arguments) {
    invoke(method, arguments).close();
  }

  /** Runs a method that returns a float. */
  public double callDouble(String method, Object... arguments) {
    try (IValue result = invoke(method, arguments)) {
      return result.toDouble();
    }
  }

  /** Runs a method that returns a list of float. */
  public double[] callDoubles(String method, Object... arguments) {
    try (IValue result = invoke(method, arguments)) {
      return result.toDoubleArray();
    }
  }

  /** Runs a method that returns an int. */
  public long callLong(String method, Object... arguments) {
    try (IValue result = invoke(method, arguments)) {
      return result.toLong();
    }
  }

  /** Runs a method that returns a tensor of F32 or I64 on the CPU, and copies it. */
  public HostTensor callTensor(String method, Object... arguments) {
    try (IValue result = invoke(method, arguments);
        PtNDArray array = result.toTensor(arrays)) {
      return copyOf(array);
    }
  }

  /** Number of the engine's arrays that this module holds open; a steady number is no leak. */
  public int openArrays() {
    return arrays.getManagedArrays().size();
  }

  private IValue invoke(String method, Object... arguments) {
    // Both are settings of the thread. The profiling executor recompiles by shape, takes more
    // memory and changes the order of sums.
    JniUtils.setGraphExecutorOptimize(false);
    JniUtils.setGradMode(false);
    try (ScriptArguments values = new ScriptArguments(arrays, arguments)) {
      return ScriptBridge.run(module, method, values.values());
    } catch (EngineException e) {
      if (DeviceMemoryException.isMeantBy(e.getMessage())) {
        throw new DeviceMemoryException(DeviceMemoryException.sentenceOf(e.getMessage()), e);
      }
      throw e;
    }
  }

  private static HostTensor copyOf(PtNDArray array) {
    String type = array.getDataType() == DataType.FLOAT32 ? "F32" : "I64";
    ByteBuffer source = array.toByteBuffer(false);
    ByteBuffer copy = ByteBuffer.allocate(source.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    copy.put(source).rewind();
    return new HostTensor(
        type, array.getShape().getShape(), copy.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
  }

  @Override
  public void close() {
    module.close();
    arrays.close();
  }
}
