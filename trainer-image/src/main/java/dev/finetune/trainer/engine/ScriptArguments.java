package dev.finetune.trainer.engine;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The arguments of one call as the engine's values; closing it frees those made for the call. */
final class ScriptArguments implements AutoCloseable {
  private final PtNDManager arrays;
  private final List<IValue> made = new ArrayList<>();
  private final IValue[] values;

  ScriptArguments(PtNDManager parent, Object... arguments) {
    arrays = parent.newSubManager(parent.getDevice());
    values = new IValue[arguments.length];
    boolean complete = false;
    try {
      for (int i = 0; i < arguments.length; i++) {
        values[i] = valueOf(arguments[i]);
      }
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  IValue[] values() {
    return values;
  }

  private IValue valueOf(Object argument) {
    if (argument instanceof ScriptValue kept) {
      return kept.value();
    }
    IValue value = newValue(argument);
    made.add(value);
    return value;
  }

  private IValue newValue(Object argument) {
    if (argument instanceof Long || argument instanceof Integer) {
      return IValue.from(((Number) argument).longValue());
    }
    if (argument instanceof Double number) {
      return IValue.from(number);
    }
    if (argument instanceof Boolean flag) {
      return IValue.from(flag);
    }
    if (argument instanceof String text) {
      return IValue.from(text);
    }
    if (argument instanceof long[] numbers) {
      return IValue.listFrom(numbers);
    }
    if (argument instanceof HostTensor tensor) {
      return IValue.from(array(tensor));
    }
    if (argument instanceof List<?> list) {
      return IValue.listFrom(list.stream().map(this::valueOf).toArray(IValue[]::new));
    }
    if (argument instanceof Map<?, ?> map) {
      Map<String, IValue> entries = new HashMap<>();
      map.forEach((key, value) -> entries.put((String) key, valueOf(value)));
      return IValue.stringIValueMapFrom(entries);
    }
    throw new IllegalArgumentException("not an argument of a script: " + argument.getClass());
  }

  private PtNDArray array(HostTensor tensor) {
    // The engine's other types abort the process when an array of them is made.
    DataType type =
        switch (tensor.dtype()) {
          case "F32" -> DataType.FLOAT32;
          case "I64" -> DataType.INT64;
          default -> throw new IllegalArgumentException("not a script's tensor: " + tensor.dtype());
        };
    ByteBuffer source = tensor.bytes().duplicate().order(ByteOrder.nativeOrder());
    ByteBuffer direct = ByteBuffer.allocateDirect(source.remaining()).order(source.order());
    direct.put(source).rewind();
    return arrays.create(direct, new Shape(tensor.shape()), type);
  }

  @Override
  public void close() {
    made.forEach(IValue::close);
    arrays.close();
  }
}
