package dev.finetune.trainer.method;

import dev.finetune.trainer.model.LinearLayer;
import java.util.Map;

/**
 * A tensor of a saved adapter by its name in the file: LAYER.KIND.
 *
 * @param layer path in the model of the layer that it belongs to
 * @param kind what it is, the end of its name in the script
 */
record AdapterTensor(String layer, String kind) {
  /** Matrices of which one has as many columns as the other rows. */
  private static final Map<String, String> PARTNERS =
      Map.of(
          "lora_A", "lora_B",
          "lora_embedding_A", "lora_embedding_B",
          "adapter_down.weight", "adapter_up.weight");

  static AdapterTensor of(String fileName) {
    String name = PeftNames.scriptName(fileName);
    // A bottleneck's matrices are named as modules, so their last part belongs to the kind.
    String end =
        fileName.contains(".adapter_") ? fileName.substring(fileName.lastIndexOf('.')) : "";
    String path = end.isEmpty() ? name : PeftNames.withoutPrefix(fileName);
    int dot = path.lastIndexOf('.', path.length() - end.length() - 1);
    return new AdapterTensor(path.substring(0, Math.max(0, dot)), path.substring(dot + 1));
  }

  /** Whether the scale of a product B A is known by it. */
  boolean isA() {
    return kind.equals("lora_A") || kind.equals("lora_embedding_A");
  }

  /** The name in the script of the matrix that this one is multiplied with; null: none. */
  static String partner(String scriptName) {
    return PARTNERS.entrySet().stream()
        .filter(entry -> scriptName.endsWith("." + entry.getKey()))
        .map(
            entry ->
                scriptName.substring(0, scriptName.length() - entry.getKey().length())
                    + entry.getValue())
        .findFirst()
        .orElse(null);
  }

  /**
   * Whether a shape is one that such a tensor of that layer can have; false for an unknown kind.
   */
  boolean fits(long[] shape, LinearLayer of) {
    boolean matrix = shape.length == 2;
    return switch (kind) {
      case "lora_A", "lora_embedding_A" -> matrix && shape[1] == of.in();
      case "lora_B", "lora_embedding_B", "adapter_up.weight" -> matrix && shape[0] == of.out();
      case "lora_magnitude_vector", "adapter_up.bias" -> !matrix && shape[0] == of.out();
      case "ia3_l" -> matrix && (ofOutput(shape, of) || ofInput(shape, of));
      case "adapter_down.weight" -> matrix && shape[1] == of.out();
      case "adapter_down.bias" -> !matrix;
      default -> false;
    };
  }

  private static boolean ofOutput(long[] shape, LinearLayer of) {
    return shape[0] == of.out() && shape[1] == 1;
  }

  private static boolean ofInput(long[] shape, LinearLayer of) {
    return shape[0] == 1 && shape[1] == of.in();
  }
}
