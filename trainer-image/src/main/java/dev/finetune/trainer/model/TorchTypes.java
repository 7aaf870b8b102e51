package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.trainer.safetensors.TensorType;

/** PyTorch's numbers of the element types (c10/core/ScalarType.h). */
final class TorchTypes {
  private TorchTypes() {}

  static int of(TensorType type) {
    return switch (type) {
      case U8 -> 0;
      case F16 -> 5;
      case F32 -> 6;
      case BF16 -> 15;
      default -> throw new IllegalArgumentException("not a weight's type: " + type);
    };
  }

  static int of(Precision precision, String device) {
    return switch (precision) {
      case FP32 -> of(TensorType.F32);
      case BF16 -> of(TensorType.BF16);
      case AUTO -> of(device.equals("cpu") ? TensorType.F32 : TensorType.BF16);
    };
  }
}
