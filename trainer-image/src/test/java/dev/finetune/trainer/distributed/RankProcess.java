package dev.finetune.trainer.distributed;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A rank as a process of its own, which sums until it is stopped. */
final class RankProcess implements AutoCloseable {
  private final Process process;

  private RankProcess(Process process) {
    this.process = process;
  }

  static RankProcess start(int port, int rank, int size, Duration timeout) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    RankProcess.class.getName(),
                    String.valueOf(port),
                    String.valueOf(rank),
                    String.valueOf(size),
                    String.valueOf(timeout.toMillis())))
            .redirectError(new File("target/rank-process.err"));
    return new RankProcess(builder.start());
  }

  /** Returns when the rank has taken part in a sum. */
  void awaitSum() throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = output.readLine();
    while (line != null && !line.equals("summed")) {
      line = output.readLine();
    }
    if (line == null) {
      throw new AssertionError("the rank's process ended; see target/rank-process.err");
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGSTOP: it is there and does nothing, as a process that hangs. */
  void hang() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-STOP", String.valueOf(process.pid())).start().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      process.getInputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void main(String[] args) throws InterruptedException {
    Rendezvous rendezvous =
        RankThreads.at(
            Integer.parseInt(args[0]),
            Integer.parseInt(args[1]),
            Integer.parseInt(args[2]),
            RankThreads.PATIENCE,
            Duration.ofMillis(Long.parseLong(args[3])));
    try (ProcessGroup group = C10dGroup.join(rendezvous, line -> {})) {
      RankLossTest.sumUntilLost(group, () -> System.out.println("summed"));
    }
  }
}
