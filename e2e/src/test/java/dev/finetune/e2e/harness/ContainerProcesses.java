package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The processes of containers, found on the machine that runs them. */
final class ContainerProcesses {
  private static final Path PROC = Path.of("/proc");

  private ContainerProcesses() {}

  /** The process that a container was started with, which has the lowest id of all in it. */
  static long main(Pod pod, String container) {
    String id =
        pod.getStatus().getContainerStatuses().stream()
            .filter(status -> status.getName().equals(container))
            .map(ContainerStatus::getContainerID)
            .map(each -> each.substring(each.lastIndexOf('/') + 1))
            .findFirst()
            .orElseThrow();
    try (Stream<Path> processes = Files.list(PROC)) {
      return processes
          .filter(process -> process.getFileName().toString().matches("\\d+"))
          .filter(process -> cgroups(process).contains(id))
          .mapToLong(process -> Long.parseLong(process.getFileName().toString()))
          .min()
          .orElseThrow(
              () ->
                  new AssertionError(
                      "no process of container "
                          + container
                          + " of pod "
                          + pod.getMetadata().getName()
                          + " is found on this machine"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String cgroups(Path process) {
    try {
      return Files.readString(process.resolve("cgroup"));
    } catch (IOException e) {
      // It ended in between.
      return "";
    }
  }
}
