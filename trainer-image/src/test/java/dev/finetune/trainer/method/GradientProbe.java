package dev.finetune.trainer.method;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;

/** Moves one number of what trains, to compare the loss's slope with its gradient. */
final class GradientProbe {
  private GradientProbe() {}

  /** The loss's sum with a number moved; the model keeps it. */
  static double lossWith(
      TunedModel model,
      Map<String, HostTensor> values,
      Map<String, HostTensor> optimizer,
      String name,
      int index,
      float delta,
      Batch batch) {
    move(model, values, optimizer, name, index, delta);
    return model.evaluate(batch).nll();
  }

  /** Moves a number; the model keeps it. */
  static void move(
      TunedModel model,
      Map<String, HostTensor> values,
      Map<String, HostTensor> optimizer,
      String name,
      int index,
      float delta) {
    float[] moved = floats(values.get(name));
    moved[index] += delta;
    Map<String, HostTensor> changed = new HashMap<>(values);
    changed.put(name, HostTensor.ofFloats(moved, values.get(name).shape()));
    model.restore(changed, optimizer);
  }

  /** Where the number of the largest size is. */
  static int indexOfLargest(HostTensor tensor) {
    FloatBuffer values = tensor.floats();
    int largest = 0;
    for (int i = 1; i < values.limit(); i++) {
      largest = Math.abs(values.get(i)) > Math.abs(values.get(largest)) ? i : largest;
    }
    return largest;
  }

  /** A copy of a tensor's numbers. */
  static float[] floats(HostTensor tensor) {
    float[] values = new float[tensor.floats().limit()];
    tensor.floats().get(values);
    return values;
  }
}
