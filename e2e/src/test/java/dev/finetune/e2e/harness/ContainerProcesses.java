package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The processes of containers, found on the machine that runs them. */
final class ContainerProcesses {
  private static final Path PROC = Path.of("/proc");

  private ContainerProcesses() {}

  /** The process that a container was started with, which has the lowest id of all in it. */
  static long main(Pod pod, String container) {
    return first(pod, container, "", process -> true);
  }

  /** The process of a rank, by the variable that its launcher set. */
  static long rank(Pod pod, String container, int rank) {
    String variable = "\0RANK=" + rank + "\0";
    return first(
        pod,
        container,
        " with rank " + rank,
        process -> ("\0" + read(process, "environ")).contains(variable));
  }

  private static long first(Pod pod, String container, String which, Predicate<Path> wanted) {
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
          .filter(process -> read(process, "cgroup").contains(id))
          .filter(wanted)
          .mapToLong(process -> Long.parseLong(process.getFileName().toString()))
          .min()
          .orElseThrow(
              () ->
                  new AssertionError(
                      "no process%s of container %s of pod %s is found on this machine"
                          .formatted(which, container, pod.getMetadata().getName())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path process, String file) {
    try {
      return Files.readString(process.resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      // It ended in between.
      return "";
    }
  }
}
