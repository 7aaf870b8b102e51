package dev.finetune.local.kubelet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The machine as a node.
 *
 * @param name its name
 * @param gpus NVIDIA GPUs that pods may ask for
 */
public record Node(String name, int gpus) {
  /** The resource that NVIDIA's device plugin advertises. */
  static final String GPU_RESOURCE = "nvidia.com/gpu";

  private static final int PATIENCE_SECONDS = 10;

  /**
   * This machine, with the GPUs that {@code nvidia-smi} lists; none where there is no such tool.
   */
  public static Node detect() {
    return new Node("local", countGpus());
  }

  Map<String, String> labels() {
    return Map.of("kubernetes.io/hostname", name, "kubernetes.io/os", "linux");
  }

  private static int countGpus() {
    try {
      Process process =
          new ProcessBuilder("nvidia-smi", "-L")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String list = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
      return ended && process.exitValue() == 0
          ? (int) list.lines().filter(line -> line.startsWith("GPU ")).count()
          : 0;
    } catch (IOException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }
}
