package dev.finetune.trainer.distributed;

import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;

/** Tensors that live in TorchScript. */
final class TensorScript implements AutoCloseable {
  private static final String SOURCE =
      """
      class Tensors(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def keep(self: __torch__.Tensors, x: Tensor) -> Tensor:
          return x.clone()
        def bfloat16(self: __torch__.Tensors, x: Tensor) -> Tensor:
          return torch.to(x, 15)
        def read(self: __torch__.Tensors, x: Tensor) -> Tensor:
          return torch.to(x, 6)
        def columns(self: __torch__.Tensors, x: Tensor) -> Tensor:
          return torch.t(x)
        def number(self: __torch__.Tensors) -> int:
          return 1
        def model(self: __torch__.Tensors, x: Tensor) -> Dict[str, Tensor]:
          torch.set_grad_enabled(True)
          w = torch.ones_like(x).requires_grad_(True)
          loss = (w * w * x).sum()
          m = annotate(Dict[str, Tensor], {})
          m["w"] = w.detach()
          m["gradient"] = unchecked_cast(Tensor, torch.grad([loss], [w])[0])
          return m
        def gradient(self: __torch__.Tensors, m: Dict[str, Tensor]) -> Tensor:
          return m["gradient"]
        def step(self: __torch__.Tensors, m: Dict[str, Tensor], ranks: int) -> Tensor:
          return m["w"] - m["gradient"] / ranks
      """;

  private final TorchScript script = TorchScript.compile("Tensors", SOURCE);

  ScriptValue call(String method, Object... arguments) {
    return script.call(method, arguments);
  }

  ScriptValue keep(float... values) {
    return script.call("keep", HostTensor.ofFloats(values, values.length));
  }

  float[] read(ScriptValue tensor) {
    return floats("read", tensor);
  }

  float[] floats(String method, Object... arguments) {
    FloatBuffer buffer = script.callTensor(method, arguments).floats();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  @Override
  public void close() {
    script.close();
  }
}
