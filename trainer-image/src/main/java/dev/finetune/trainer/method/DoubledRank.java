package dev.finetune.trainer.method;

import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter whose start B0 A0 was taken out of the weight, W = R + s B0 A0, as one for the weight
 * as it was: R + s B A = W + s [B, -B0] [A; A0], of twice the rank. PEFT converts PiSSA in the same
 * way.
 */
final class DoubledRank {
  private DoubledRank() {}

  /** The shapes as they are saved. */
  static TrainedTensors of(TrainedTensors tensors, TrainedTensors remembered) {
    List<TrainedTensor> doubled = new ArrayList<>();
    for (TrainedTensor tensor : tensors.all()) {
      boolean isA = isA(tensor.fileName());
      doubled.add(
          !remembered.all().contains(tensor)
              ? tensor
              : new TrainedTensor(
                  tensor.name(),
                  tensor.fileName(),
                  tensor.part(),
                  isA ? 2 * tensor.rows() : tensor.rows(),
                  isA ? tensor.columns() : 2 * tensor.columns(),
                  tensor.start(),
                  tensor.group()));
    }
    return new TrainedTensors(doubled);
  }

  private static boolean isA(String fileName) {
    return fileName.contains(".lora_A");
  }

  static Map<String, HostTensor> join(TunedValues values) {
    Map<String, HostTensor> joined = new LinkedHashMap<>();
    values
        .tensors()
        .forEach(
            (name, tensor) -> {
              HostTensor start = values.start().get(name);
              if (start == null) {
                joined.put(name, tensor);
              } else {
                joined.put(name, isA(name) ? below(tensor, start) : beside(tensor, start));
              }
            });
    return joined;
  }

  /** [A; A0]. */
  private static HostTensor below(HostTensor a, HostTensor start) {
    long[] shape = a.shape();
    float[] rows = new float[Math.toIntExact(2 * a.elements())];
    a.floats().get(rows, 0, rows.length / 2);
    start.floats().get(rows, rows.length / 2, rows.length / 2);
    return HostTensor.ofFloats(rows, 2 * shape[0], shape[1]);
  }

  /** [B, -B0]. */
  private static HostTensor beside(HostTensor b, HostTensor start) {
    int rows = Math.toIntExact(b.shape()[0]);
    int rank = Math.toIntExact(b.shape()[1]);
    float[] both = new float[2 * rows * rank];
    FloatBuffer now = b.floats();
    FloatBuffer then = start.floats();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < rank; j++) {
        both[2 * rank * i + j] = now.get(rank * i + j);
        both[2 * rank * i + rank + j] = -then.get(rank * i + j);
      }
    }
    return HostTensor.ofFloats(both, rows, 2L * rank);
  }

  static TunedValues split(Map<String, HostTensor> saved, TrainedTensors remembered) {
    Map<String, HostTensor> tensors = new LinkedHashMap<>(saved);
    Map<String, HostTensor> start = new LinkedHashMap<>();
    for (TrainedTensor tensor : remembered.all()) {
      String name = tensor.fileName();
      HostTensor both = saved.get(name);
      tensors.put(name, isA(name) ? rows(both, 0) : columns(both, 0, 1));
      start.put(name, isA(name) ? rows(both, 1) : columns(both, 1, -1));
    }
    return new TunedValues(tensors, start);
  }

  private static HostTensor rows(HostTensor both, int half) {
    float[] values = new float[Math.toIntExact(both.elements() / 2)];
    both.floats().get(half * values.length, values);
    return HostTensor.ofFloats(values, both.shape()[0] / 2, both.shape()[1]);
  }

  private static HostTensor columns(HostTensor both, int half, int sign) {
    int rows = Math.toIntExact(both.shape()[0]);
    int rank = Math.toIntExact(both.shape()[1] / 2);
    float[] values = new float[rows * rank];
    FloatBuffer from = both.floats();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < rank; j++) {
        values[rank * i + j] = sign * from.get(2 * rank * i + half * rank + j);
      }
    }
    return HostTensor.ofFloats(values, rows, rank);
  }
}
