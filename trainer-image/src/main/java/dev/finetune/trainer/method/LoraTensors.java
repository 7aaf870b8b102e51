package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The layout of an adapter's tensors, one behind the other in the script's flat tensors. */
final class LoraTensors {
  /** PEFT's prefix of every tensor: its wrapper, and the causal language model in it. */
  private static final String PEFT_PREFIX = "base_model.model.";

  private static final String PEFT_SUFFIX = ".weight";

  /**
   * One tensor.
   *
   * @param scriptName its name in the script, LAYER.lora_A or LAYER.lora_B
   * @param layer index of its decoder layer
   * @param rows its first dimension
   * @param columns its second dimension
   */
  record Tensor(String scriptName, int layer, long rows, long columns) {
    String peftName() {
      return PEFT_PREFIX + scriptName + PEFT_SUFFIX;
    }

    long elements() {
      return rows * columns;
    }
  }

  private final List<Tensor> tensors;

  /**
   * A (r, in) and B (out, r) of every layer.
   *
   * @param layers in the order of the network
   */
  LoraTensors(List<LinearLayer> layers, int rank) {
    this(new ArrayList<>());
    for (LinearLayer layer : layers) {
      tensors.add(new Tensor(layer.name() + ".lora_A", layer.layer(), rank, layer.in()));
      tensors.add(new Tensor(layer.name() + ".lora_B", layer.layer(), layer.out(), rank));
    }
  }

  private LoraTensors(List<Tensor> tensors) {
    this.tensors = tensors;
  }

  /** Those that belong to some decoder layers. */
  LoraTensors of(LayerRange layers) {
    return new LoraTensors(
        tensors.stream().filter(tensor -> layers.contains(tensor.layer())).toList());
  }

  /** The entries of a map by PEFT's name that are among these, in their order. */
  Map<String, HostTensor> among(Map<String, HostTensor> parts) {
    Map<String, HostTensor> found = new LinkedHashMap<>();
    tensors.forEach(tensor -> found.put(tensor.peftName(), parts.get(tensor.peftName())));
    return found;
  }

  List<Tensor> all() {
    return tensors;
  }

  long elements() {
    return tensors.stream().mapToLong(Tensor::elements).sum();
  }

  List<String> scriptNames() {
    return tensors.stream().map(Tensor::scriptName).toList();
  }

  long[] layers() {
    return tensors.stream().mapToLong(Tensor::layer).toArray();
  }

  long[] rows() {
    return tensors.stream().mapToLong(Tensor::rows).toArray();
  }

  long[] columns() {
    return tensors.stream().mapToLong(Tensor::columns).toArray();
  }

  /** The script's name of a tensor in PEFT's file; the name itself if it isn't of that form. */
  static String scriptName(String peftName) {
    if (!peftName.startsWith(PEFT_PREFIX)) {
      return peftName;
    }
    // A parameter of the layer itself, such as DoRA's magnitude, has no suffix.
    int end = peftName.length() - (peftName.endsWith(PEFT_SUFFIX) ? PEFT_SUFFIX.length() : 0);
    return peftName.substring(PEFT_PREFIX.length(), end);
  }

  /**
   * Checks a checkpoint's tensors against the adapter's.
   *
   * @throws TrainerException naming the first that is missing, unknown or of another shape
   */
  void check(String what, Map<String, HostTensor> parts) {
    for (Tensor tensor : tensors) {
      HostTensor part = parts.get(tensor.peftName());
      if (part == null) {
        throw unlike(what, "has no tensor " + tensor.peftName());
      }
      long[] shape = {tensor.rows(), tensor.columns()};
      if (!part.dtype().equals("F32") || !Arrays.equals(part.shape(), shape)) {
        throw unlike(
            what,
            "has %s as %s %s instead of F32 %s"
                .formatted(
                    tensor.peftName(),
                    part.dtype(),
                    Arrays.toString(part.shape()),
                    Arrays.toString(shape)));
      }
    }
    if (parts.size() > tensors.size()) {
      Set<String> unknown = new LinkedHashSet<>(parts.keySet());
      tensors.forEach(tensor -> unknown.remove(tensor.peftName()));
      throw unlike(what, "has tensors that this run doesn't train: " + unknown);
    }
  }

  private static TrainerException unlike(String what, String difference) {
    return new TrainerException(
        TrainerExit.MODEL,
        "%s of the checkpoint %s; it was made with another model, rank or targetModules"
            .formatted(what, difference));
  }

  /** Cuts a flat tensor of F32 into the adapter's tensors, views of it by PEFT's name. */
  Map<String, HostTensor> split(HostTensor flat) {
    Map<String, HostTensor> parts = new LinkedHashMap<>();
    int offset = flat.bytes().position();
    for (Tensor tensor : tensors) {
      int length = Math.toIntExact(tensor.elements() * Float.BYTES);
      ByteBuffer bytes = flat.bytes().slice(offset, length).order(ByteOrder.LITTLE_ENDIAN);
      parts.put(
          tensor.peftName(),
          new HostTensor("F32", new long[] {tensor.rows(), tensor.columns()}, bytes));
      offset += length;
    }
    return parts;
  }

  /** Joins the adapter's tensors, by PEFT's name, to a flat tensor. */
  HostTensor join(Map<String, HostTensor> parts) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(elements() * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (Tensor tensor : tensors) {
      bytes.put(parts.get(tensor.peftName()).bytes().duplicate());
    }
    return new HostTensor("F32", new long[] {elements()}, bytes.flip());
  }
}
