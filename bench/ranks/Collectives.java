import dev.finetune.trainer.distributed.C10dGroup;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.distributed.Rendezvous;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * Times what an optimizer step does between ranks, on this rank: the sum of the small vector, and
 * for each size the reduce-scatter of a gradient with the all-gather of the values, beside one
 * all-reduce. Arguments: rank, ranks, port.
 */
final class Collectives {
  private static final String TENSORS =
      """
      class Tensors(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def ones(self: __torch__.Tensors, n: int) -> Tensor:
          return torch.ones([n], dtype=6)
      """;

  private static final int ROUNDS = 15;

  private Collectives() {}

  private interface Collective {
    void run();
  }

  public static void main(String[] arguments) {
    int rank = Integer.parseInt(arguments[0]);
    int ranks = Integer.parseInt(arguments[1]);
    Duration patience = Duration.ofMinutes(2);
    var rendezvous =
        new Rendezvous(
            "127.0.0.1", Integer.parseInt(arguments[2]), rank, ranks, patience, patience, "cpu");
    try (ProcessGroup group = C10dGroup.join(rendezvous, System.err::println);
        TorchScript script = TorchScript.compile("Tensors", TENSORS)) {
      double[] small = new double[2 + 2 * ranks];
      print(rank, "step's vector", 8 * small.length, time(group, () -> group.sum(small)));
      for (int mebibytes : new int[] {1, 4, 16, 64}) {
        int bytes = mebibytes << 20;
        int elements = bytes / Float.BYTES;
        try (ScriptValue whole = script.call("ones", elements);
            ScriptValue part = script.call("ones", elements / ranks)) {
          print(rank, "all-reduce", bytes, time(group, () -> group.sum(whole)));
          print(
              rank,
              "reduce-scatter, all-gather",
              bytes,
              time(
                  group,
                  () -> {
                    group.reduceScatter(whole, part);
                    group.allGather(part, whole);
                  }));
        }
      }
    }
    // libtorch's exit handlers and the JVM's don't agree.
    Runtime.getRuntime().halt(0);
  }

  private static double[] time(ProcessGroup group, Collective collective) {
    double[] milliseconds = new double[ROUNDS];
    for (int i = -3; i < ROUNDS; i++) {
      group.barrier();
      long start = System.nanoTime();
      collective.run();
      if (i >= 0) {
        milliseconds[i] = (System.nanoTime() - start) / 1e6;
      }
    }
    Arrays.sort(milliseconds);
    return milliseconds;
  }

  private static void print(int rank, String what, int bytes, double[] sorted) {
    if (rank == 0) {
      System.out.printf(
          Locale.ROOT,
          "| %s | %.3f | %.2f / %.2f |%n",
          what,
          bytes / 1048576.0,
          sorted[0],
          sorted[sorted.length / 2]);
    }
  }
}
