package dev.finetune.trainer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.EngineException;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TorchScriptTest {
  private static final String SOURCE =
      """
      class Probe(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def add(self: __torch__.Probe, a: int, b: List[int]) -> int:
          for x in b:
            a = a + x
          return a
        def scale(self: __torch__.Probe, x: Tensor, by: float, twice: bool) -> Tensor:
          if twice:
            x = x * 2
          return x * by
        def lookup(self: __torch__.Probe, m: Dict[str, float], keys: List[str]) -> float:
          s = 0.
          for key in keys:
            s = s + m[key]
          return s
        def kept(self: __torch__.Probe) -> Dict[str, Tensor]:
          return annotate(Dict[str, Tensor], {})
        def put(self: __torch__.Probe, m: Dict[str, Tensor], name: str, x: Tensor) -> None:
          m[name] = x.clone()
          return None
        def slope(self: __torch__.Probe, m: Dict[str, Tensor]) -> Tensor:
          torch.set_grad_enabled(True)
          x = m["x"].detach().requires_grad_(True)
          return unchecked_cast(Tensor, torch.grad([(x * x).sum()], [x])[0])
        def hoard(self: __torch__.Probe, n: int) -> Tensor:
          return torch.zeros([n])
        def fail(self: __torch__.Probe, x: Tensor) -> Tensor:
          return torch.mm(x, x)
      """;

  private final TorchScript script = TorchScript.compile("Probe", SOURCE);

  @AfterEach
  void close() {
    script.close();
  }

  @Test
  void argumentsAndResultsKeepTheirTypes() {
    assertThat(script.callLong("add", 1, new long[] {2, 1L << 40})).isEqualTo(3 + (1L << 40));
    HostTensor scaled =
        script.callTensor("scale", HostTensor.ofFloats(new float[] {1, 2, 3, 4}, 2, 2), 0.5, true);
    assertThat(scaled.shape()).containsExactly(2, 2);
    assertThat(scaled.floats().get(3)).isEqualTo(4f);
    Map<String, Double> map = Map.of("a", 0.25, "b", 4.0);
    assertThat(script.callDouble("lookup", map, List.of("a", "b", "b"))).isEqualTo(8.25);
  }

  @Test
  void aKeptValueIsTheSameInEveryCallAndDifferentiable() {
    try (ScriptValue kept = script.call("kept")) {
      assertThat(kept.type()).isEqualTo("Dict(str, Tensor)");
      script.run("put", kept, "x", HostTensor.ofFloats(new float[] {1.5f, -2}, 2));
      HostTensor slope = script.callTensor("slope", kept);
      assertThat(slope.floats().get(0)).isEqualTo(3f);
      assertThat(slope.floats().get(1)).isEqualTo(-4f);
    }
  }

  @Test
  void callsWorkOnAnyThread() throws InterruptedException {
    AtomicReference<Float> result = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try (ScriptValue kept = script.call("kept")) {
                script.run("put", kept, "x", HostTensor.ofFloats(new float[] {3}, 1));
                result.set(script.callTensor("slope", kept).floats().get(0));
              }
            });
    thread.start();
    thread.join();
    assertThat(result.get()).isEqualTo(6f);
  }

  @Test
  void aFailureNamesTheScriptsLine() {
    assertThatThrownBy(
            () -> script.callTensor("fail", HostTensor.ofFloats(new float[] {1, 2}, 1, 2)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("torch.mm(x, x)");
  }

  @Test
  void anUnknownOperatorIsNamedWhenTheScriptIsCompiled() {
    String source = SOURCE.replace("torch.mm(x, x)", "torch.matrix_product(x, x)");
    assertThatThrownBy(() -> TorchScript.compile("Probe", source))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("aten::matrix_product");
  }

  @Test
  void memoryThatCannotBeHadIsAMemoryException() {
    assertThatThrownBy(() -> script.callTensor("hoard", 1L << 50))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageContaining("memory")
        .hasMessageNotContaining("\n");
  }

  @Test
  void otherTypesAreRefusedBeforeTheEngineSeesThem() {
    HostTensor half = new HostTensor("BF16", new long[] {1}, ByteBuffer.wrap(new byte[2]));
    assertThatThrownBy(() -> script.callTensor("fail", half))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BF16");
    assertThat(script.openArrays()).isZero();
  }

  @Test
  void callsLeaveNothingOpen() {
    long open = ScriptValue.open();
    for (int i = 0; i < 100; i++) {
      assertThatThrownBy(() -> script.run("add", "x")).isInstanceOf(EngineException.class);
      HostTensor scaled =
          script.callTensor("scale", HostTensor.ofFloats(new float[] {1}, 1), 2.0, false);
      assertThat(scaled.floats().get(0)).isEqualTo(2f);
    }
    assertThat(script.openArrays()).isZero();
    assertThat(ScriptValue.open()).isEqualTo(open);
  }

  @Test
  void threadsComeFromOmpNumThreadsOrTheProcessors() {
    assertThat(TorchRuntime.threadsFor(Map.of("OMP_NUM_THREADS", " 3 "), 8)).isEqualTo(3);
    assertThat(TorchRuntime.threadsFor(Map.of("OMP_NUM_THREADS", "0"), 8)).isEqualTo(8);
    assertThat(TorchRuntime.threadsFor(Map.of("OMP_NUM_THREADS", "4,2"), 8)).isEqualTo(8);
    assertThat(TorchRuntime.threadsFor(Map.of(), 8)).isEqualTo(8);
  }
}
