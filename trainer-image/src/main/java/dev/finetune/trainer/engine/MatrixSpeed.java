package dev.finetune.trainer.engine;

import java.time.Duration;

/**
 * Measures how fast a device multiplies matrices, which is most of what training does: two products
 * of the same kind as a large linear layer's, again and again.
 */
public final class MatrixSpeed {
  /** As wide as the layers of a model of some billions of parameters. */
  private static final long GPU_SIZE = 4096;

  private static final long CPU_SIZE = 1024;

  private static final String SOURCE =
      """
      class MatrixSpeed(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def matrix(self: __torch__.MatrixSpeed, size: int, dtype: int, device: str) -> Tensor:
          return torch.full([size, size], 1. / size, dtype=dtype, device=torch.device(device))
        def multiply(self: __torch__.MatrixSpeed, x: Tensor, times: int) -> float:
          y = x
          for i in range(times):
            y = torch.mm(x, y)
          return float(torch.item(torch.sum(y)))
      """;

  private MatrixSpeed() {}

  /**
   * Measures.
   *
   * @param device cpu, or cuda:N
   * @param bytesPerNumber 4 for float32, 2 for bfloat16
   * @param atLeast how long to multiply, after a first time that doesn't count
   * @return floating-point operations per second; a multiplication and an addition are two
   */
  public static double flops(String device, int bytesPerNumber, Duration atLeast) {
    long size = device.equals("cpu") ? CPU_SIZE : GPU_SIZE;
    long dtype = bytesPerNumber == Float.BYTES ? 6 : 15;
    int times = 4;
    try (TorchScript script = TorchScript.compile("MatrixSpeed", SOURCE);
        ScriptValue matrix = script.call("matrix", size, dtype, device)) {
      script.callDouble("multiply", matrix, times);
      long start = System.nanoTime();
      long products = 0;
      long elapsed = 0;
      while (products == 0 || elapsed < atLeast.toNanos()) {
        // Returns only when the device is done: the sum is read.
        script.callDouble("multiply", matrix, times);
        products += times;
        elapsed = System.nanoTime() - start;
      }
      return 2.0 * size * size * size * products * 1e9 / elapsed;
    }
  }
}
