package dev.finetune.trainer.method;

import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * PEFT's form of a prefix: one matrix (n, 2 L K D) with keys and values of each layer in turn,
 * against a matrix (n, K D) for each of them in the script.
 */
final class PrefixFile {
  static final String NAME = "prompt_embeddings";

  private PrefixFile() {}

  static String keys(int layer) {
    return "prefix.keys." + layer;
  }

  static String values(int layer) {
    return "prefix.values." + layer;
  }

  /**
   * The matrix.
   *
   * @param blocks in its order
   */
  static HostTensor join(Map<String, HostTensor> blocks) {
    HostTensor first = blocks.values().iterator().next();
    int rows = Math.toIntExact(first.shape()[0]);
    int size = Math.toIntExact(first.shape()[1]);
    int columns = size * blocks.size();
    float[] joined = new float[rows * columns];
    int start = 0;
    for (HostTensor block : blocks.values()) {
      FloatBuffer from = block.floats();
      for (int row = 0; row < rows; row++) {
        from.get(row * size, joined, row * columns + start, size);
      }
      start += size;
    }
    return HostTensor.ofFloats(joined, rows, columns);
  }

  static Map<String, HostTensor> split(HostTensor matrix, int layers) {
    int rows = Math.toIntExact(matrix.shape()[0]);
    int columns = Math.toIntExact(matrix.shape()[1]);
    int size = columns / (2 * layers);
    Map<String, HostTensor> blocks = new LinkedHashMap<>();
    for (int block = 0; block < 2 * layers; block++) {
      float[] values = new float[rows * size];
      for (int row = 0; row < rows; row++) {
        matrix.floats().get(row * columns + block * size, values, row * size, size);
      }
      int layer = block / 2;
      blocks.put(
          block % 2 == 0 ? keys(layer) : values(layer), HostTensor.ofFloats(values, rows, size));
    }
    return blocks;
  }
}
