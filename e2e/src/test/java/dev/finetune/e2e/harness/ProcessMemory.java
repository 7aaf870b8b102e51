package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a container's process takes, read on the machine that runs it. */
public final class ProcessMemory {
  private ProcessMemory() {}

  /** The largest resident set that a container's main process ever had, in MiB (proc(5), VmHWM). */
  public static long peakMebibytes(Pod pod, String container) {
    Path status =
        Path.of("/proc", String.valueOf(ContainerProcesses.main(pod, container)), "status");
    try {
      return Files.readAllLines(status).stream()
              .filter(line -> line.startsWith("VmHWM:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElseThrow()
          / 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
