package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptSource;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.WeightLocation;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A LoRA adapter merged into the weights that it changes: W (out, in) becomes W + s B A, computed
 * in float32. An embedding (V, C) becomes W + s (B A)^T with A (r, V) and B (C, r), as in PEFT.
 * With DoRA (arXiv:2402.09353) each row of the sum is scaled to its magnitude.
 *
 * <p>A weight is merged by rows, so no more of it than these is in memory.
 */
final class LoraMerge implements ChangedWeights {
  private static final String A = ".lora_A";
  private static final String B = ".lora_B";
  private static final String EMBEDDING_A = ".lora_embedding_A";
  private static final String EMBEDDING_B = ".lora_embedding_B";
  private static final String MAGNITUDE = ".lora_magnitude_vector";
  private static final String WEIGHT = ".weight";
  private static final HostTensor NONE = HostTensor.ofFloats(new float[0], 0);

  /** The factor of a layer's B A. */
  interface Scales {
    /** By the layer's path in the model. */
    double of(String layer, int rank);
  }

  private final Path folder;

  /** Paths in the model of the layers that change, by their weights' names in the scripts. */
  private final Map<String, String> modules = new TreeMap<>();

  private final Map<String, HostTensor> tensors;
  private final Scales scales;
  private final TorchScript script;
  private final Map<Path, ScriptValue> files = new HashMap<>();
  private Factors current;

  /**
   * Compiles what merges.
   *
   * @param folder the adapter's, for messages
   * @param names of layers in the scripts, by their paths in the model, where they differ
   * @param tensors of F32 by PEFT's names, with or without PEFT's prefix and suffix
   * @param scales factors of B A
   * @throws TrainerException with {@link TrainerExit#MODEL} if a tensor has no partner, or is of a
   *     kind that can't be merged
   */
  LoraMerge(
      Path folder, Map<String, String> names, Map<String, HostTensor> tensors, Scales scales) {
    this.folder = folder;
    this.tensors = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> this.tensors.put(PeftNames.scriptName(name), tensor));
    this.scales = scales;
    this.tensors.keySet().forEach(this::check);
    for (String name : this.tensors.keySet()) {
      String module = layerOf(name);
      modules.put(names.getOrDefault(module, module) + WEIGHT, module);
    }
    this.script = TorchScript.compile("Merge", ScriptSource.read(LoraMerge.class, "merge.py"));
  }

  private void check(String name) {
    String layer = layerOf(name);
    boolean whole =
        (tensors.containsKey(layer + A) && tensors.containsKey(layer + B))
            || (tensors.containsKey(layer + EMBEDDING_A)
                && tensors.containsKey(layer + EMBEDDING_B)
                && !tensors.containsKey(layer + MAGNITUDE));
    if (!whole) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the adapter %s can't be merged: its tensor %s isn't one of LoRA's, with a partner"
              .formatted(folder, name));
    }
  }

  private static String layerOf(String name) {
    int dot = name.lastIndexOf('.');
    return dot < 0 ? name : name.substring(0, dot);
  }

  @Override
  public Set<String> names() {
    return modules.keySet();
  }

  @Override
  public ByteBuffer rows(String name, WeightLocation base, long first, long rows) {
    long[] shape = base.entry().shape();
    Factors factors = factors(name, shape);
    TensorType type = base.entry().type();
    long rowBytes = base.entry().bytes() / shape[0];
    HostTensor encoded =
        script.callTensor(
            "rows",
            file(base.file()),
            base.entry().offset() + first * rowBytes,
            rows * rowBytes,
            new long[] {rows, shape[1]},
            base.torchType(),
            first,
            factors.left,
            factors.right,
            factors.scale,
            factors.magnitude,
            Long.BYTES / type.bytes());
    if (encoded.elements() == 0) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "merging the adapter %s makes numbers of %s NaN or too large for %s, so nothing is written; serve base and adapter apart, or take a base in BF16 or F32"
              .formatted(folder, name, type));
    }
    return encoded.bytes().duplicate().limit(Math.toIntExact(rows * rowBytes));
  }

  private ScriptValue file(Path file) {
    return files.computeIfAbsent(
        file,
        path -> {
          try {
            return script.call("map_file", path.toAbsolutePath().toString(), Files.size(path));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** The rows of one weight come one behind the other: its factors stay for the next ones. */
  private Factors factors(String name, long[] shape) {
    if (current == null || !current.name.equals(name)) {
      if (current != null) {
        current.close();
      }
      current = newFactors(name, shape);
    }
    return current;
  }

  private Factors newFactors(String name, long[] shape) {
    String layer = modules.get(name);
    boolean embedding = tensors.containsKey(layer + EMBEDDING_A);
    HostTensor a = tensors.get(layer + (embedding ? EMBEDDING_A : A));
    HostTensor b = tensors.get(layer + (embedding ? EMBEDDING_B : B));
    HostTensor magnitude = tensors.getOrDefault(layer + MAGNITUDE, NONE);
    HostTensor left = embedding ? a : b;
    HostTensor right = embedding ? b : a;
    int of = embedding ? 1 : 0;
    boolean fits =
        shape.length == 2
            && a.shape().length == 2
            && b.shape().length == 2
            && left.shape()[of] == shape[0]
            && right.shape()[1 - of] == shape[1]
            && a.shape()[0] == b.shape()[1]
            && (magnitude.elements() == 0 || magnitude.elements() == shape[0]);
    if (!fits) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the adapter %s doesn't fit the model: its A and B of %s are %s and %s, the weight is %s"
              .formatted(
                  folder,
                  layer,
                  Arrays.toString(a.shape()),
                  Arrays.toString(b.shape()),
                  Arrays.toString(shape)));
    }
    return new Factors(
        name,
        script.call("matrix", left, embedding),
        script.call("matrix", right, embedding),
        scales.of(layer, Math.toIntExact(a.shape()[0])),
        script.call("matrix", magnitude, false));
  }

  /** What merging a weight takes, in the script. */
  private record Factors(
      String name, ScriptValue left, ScriptValue right, double scale, ScriptValue magnitude) {
    void close() {
      left.close();
      right.close();
      magnitude.close();
    }
  }

  @Override
  public void close() {
    if (current != null) {
      current.close();
    }
    files.values().forEach(ScriptValue::close);
    script.close();
  }
}
