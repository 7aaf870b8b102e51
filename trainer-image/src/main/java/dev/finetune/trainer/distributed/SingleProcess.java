package dev.finetune.trainer.distributed;

import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The group of a training with one process; needs no native library. */
public final class SingleProcess implements ProcessGroup {
  private static final String COPY =
      """
      class Copy(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def copy(self: __torch__.Copy, input: Tensor, output: Tensor) -> None:
          _0 = torch.copy_(torch.view(output, [-1]), torch.view(input, [-1]))
          return None
      """;

  private final Map<String, byte[]> values = new ConcurrentHashMap<>();
  private TorchScript copy;

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public void sum(double[] values) {}

  @Override
  public void max(double[] values) {}

  @Override
  public void sum(ScriptValue tensor) {}

  @Override
  public void broadcast(ScriptValue tensor, int root) {}

  @Override
  public void reduceScatter(ScriptValue input, ScriptValue output) {
    copy(input, output);
  }

  @Override
  public void allGather(ScriptValue input, ScriptValue output) {
    copy(input, output);
  }

  private void copy(ScriptValue input, ScriptValue output) {
    if (copy == null) {
      copy = TorchScript.compile("Copy", COPY);
    }
    copy.run("copy", input, output);
  }

  @Override
  public void barrier() {}

  @Override
  public void put(String key, byte[] value) {
    values.put(key, value.clone());
  }

  @Override
  public Optional<byte[]> get(String key) {
    return Optional.ofNullable(values.get(key)).map(byte[]::clone);
  }

  @Override
  public byte[] await(String key, Duration patience) {
    // Nobody else could set it.
    return get(key)
        .orElseThrow(
            () ->
                new RankLostException(
                    RankLostException.Kind.TIMEOUT,
                    List.of(),
                    "No rank has set %s.".formatted(key),
                    null));
  }

  @Override
  public void close() {
    if (copy != null) {
      copy.close();
      copy = null;
    }
  }
}
