package dev.finetune.trainer.model;

import java.util.OptionalInt;

/**
 * Consecutive decoder layers of a model, as one device holds them: the first also has the embedding
 * and what looks at pictures, the last also the final norm and the head.
 *
 * @param first index of the first layer, from 0
 * @param end index behind the last layer
 * @param layers layers of the whole model
 */
public record LayerRange(int first, int end, int layers) {
  private static final String LAYERS = "model.layers.";

  /** Checks the bounds. */
  public LayerRange {
    if (first < 0 || first >= end || end > layers) {
      throw new IllegalArgumentException(
          "the layers %d to before %d of %d".formatted(first, end, layers));
    }
  }

  /** The whole model. */
  public static LayerRange all(int layers) {
    return new LayerRange(0, layers, layers);
  }

  /** Number of its layers. */
  public int size() {
    return end - first;
  }

  /** Whether token ids come in here. */
  public boolean hasEmbedding() {
    return first == 0;
  }

  /** Whether the loss is computed here. */
  public boolean hasHead() {
    return end == layers;
  }

  /** Whether a layer is one of these. */
  public boolean contains(int layer) {
    return first <= layer && layer < end;
  }

  /**
   * Whether a part of the network lies here.
   *
   * @param part index of a decoder layer; -1: the embedding, the number of layers: the head
   */
  public boolean containsPart(int part) {
    return contains(part) || (part < 0 && hasEmbedding()) || (part == layers && hasHead());
  }

  /**
   * Whether a weight is read here. The matrix of a tied head is, where the embedding is and where
   * the head is.
   *
   * @param name such as model.layers.0.mlp.up_proj.weight
   * @param tiedHead whether the head is the embedding's matrix
   */
  boolean reads(String name, boolean tiedHead) {
    OptionalInt layer = layerOf(name);
    if (layer.isPresent()) {
      return contains(layer.getAsInt());
    }
    if (InternVl.partOf(name) != ModelPart.LANGUAGE_MODEL) {
      return hasEmbedding();
    }
    return name.equals(Network.EMBEDDING + ".weight")
        ? hasEmbedding() || (hasHead() && tiedHead)
        : hasHead();
  }

  /** The decoder layer that a weight is of; empty where it is of none. */
  static OptionalInt layerOf(String name) {
    if (!name.startsWith(LAYERS)) {
      return OptionalInt.empty();
    }
    String behind = name.substring(LAYERS.length());
    return OptionalInt.of(Integer.parseInt(behind.substring(0, behind.indexOf('.'))));
  }

  /** Such as 0-15. */
  @Override
  public String toString() {
    return size() == 1 ? String.valueOf(first) : first + "-" + (end - 1);
  }
}
