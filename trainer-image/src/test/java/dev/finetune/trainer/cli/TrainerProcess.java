package dev.finetune.trainer.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The trainer as a process of its own, started by its script. */
final class TrainerProcess {
  private static final long PATIENCE_SECONDS = 300;

  /** Short beside the time that a checkpoint takes to be written. */
  private static final long POLL_NANOS = 200_000;

  private final Process process;
  private final Path errors;

  private TrainerProcess(Process process, Path errors) {
    this.process = process;
    this.errors = errors;
  }

  static TrainerProcess start(Path folder, List<String> arguments) throws IOException {
    return start(folder, arguments, Map.of());
  }

  static TrainerProcess start(Path folder, List<String> arguments, Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of("bin/trainer").toAbsolutePath().toString());
    command.addAll(arguments);
    Path errors = Files.createTempFile(folder, "stderr", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile());
    builder.environment().putAll(environment);
    // Sums of several threads depend on their number.
    builder.environment().put("OMP_NUM_THREADS", "1");
    return new TrainerProcess(builder.start(), errors);
  }

  /** Waits until something is so, as long as the process lives. */
  boolean waitFor(BooleanSupplier condition) {
    while (process.isAlive()) {
      if (condition.getAsBoolean()) {
        return true;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return false;
  }

  /** SIGKILL. */
  void kill() throws IOException, InterruptedException {
    process.destroyForcibly();
    exitCode();
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** The processes that it has started, in their order. */
  List<ProcessHandle> children() {
    return process.children().sorted(Comparator.comparing(ProcessHandle::pid)).toList();
  }

  int exitCode() throws IOException, InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the trainer didn't end: " + errors());
    }
    return process.exitValue();
  }

  String errors() throws IOException {
    return Files.readString(errors);
  }
}
