package dev.finetune.trainer.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How often the kernel has killed a process of this container for want of memory, by the
 * container's own cgroup (version 2: memory.events, version 1: memory.oom_control). Kubernetes
 * tells of it only where the first process is hit.
 *
 * @param kills so far; 0 where no cgroup says
 */
record ContainerMemory(long kills) {
  private static final List<Path> FILES =
      List.of(
          Path.of("/sys/fs/cgroup/memory.events"),
          Path.of("/sys/fs/cgroup/memory/memory.oom_control"));

  private static final String KILLS = "oom_kill ";

  static ContainerMemory now() {
    return of(FILES);
  }

  static ContainerMemory of(List<Path> files) {
    for (Path file : files) {
      try {
        for (String line : Files.readAllLines(file)) {
          if (line.startsWith(KILLS)) {
            return new ContainerMemory(Long.parseLong(line.substring(KILLS.length()).strip()));
          }
        }
      } catch (IOException | NumberFormatException e) {
        // Not this version of cgroups, or not in a container.
      }
    }
    return new ContainerMemory(0);
  }

  /** Whether there were more since. */
  boolean killedSince() {
    return now().kills() > kills;
  }
}
