package dev.finetune.trainer.checkpoint;

import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.WeightLocation;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.TensorCast;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;

/**
 * Weights that trained themselves, rounded to the base's types. A head that is the embedding's
 * matrix trained as both.
 *
 * @param tensors of F32, by name
 */
record TunedWeights(Map<String, HostTensor> tensors) implements ChangedWeights {
  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public boolean tiesHead() {
    return true;
  }

  @Override
  public ByteBuffer rows(String name, WeightLocation base, long first, long rows) {
    HostTensor whole = tensors.get(name);
    long numbers = whole.elements() / whole.shape()[0];
    ByteBuffer bytes =
        whole
            .bytes()
            .slice(
                Math.toIntExact(whole.bytes().position() + first * numbers * Float.BYTES),
                Math.toIntExact(rows * numbers * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    HostTensor part = new HostTensor(whole.dtype(), new long[] {rows * numbers}, bytes);
    return TensorCast.to(base.entry().type(), part).bytes().duplicate();
  }

  @Override
  public void close() {}
}
