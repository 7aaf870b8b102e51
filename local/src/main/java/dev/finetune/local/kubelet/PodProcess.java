package dev.finetune.local.kubelet;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The process of a container. */
final class PodProcess {
  private final Process process;

  private PodProcess(Process process) {
    this.process = process;
  }

  /** Starts it, with both of its streams going to the log. */
  static PodProcess start(List<String> commandLine, Map<String, String> environment, Path log)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(commandLine)
            .directory(log.toAbsolutePath().getParent().toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    return new PodProcess(process);
  }

  /** Waits for the end; 128 plus the number of the signal for a process that one ended. */
  int exitCode() throws InterruptedException {
    return process.waitFor();
  }

  boolean runs() {
    return process.isAlive();
  }

  /**
   * SIGTERM now, and SIGKILL to it and its descendants if it still runs after the grace period.
   *
   * @return done when nothing runs any more
   */
  CompletableFuture<Void> stop(Duration gracePeriod) {
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroy();
    return process
        .onExit()
        .thenApply(Process::exitValue)
        .completeOnTimeout(-1, gracePeriod.toMillis(), TimeUnit.MILLISECONDS)
        .thenCompose(
            ended -> {
              descendants.forEach(ProcessHandle::destroyForcibly);
              process.destroyForcibly();
              return process.onExit();
            })
        .thenAccept(ended -> {});
  }
}
