package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Starts the ranks of this machine, a process each as torchrun does, and ends them together: when
 * one ends badly the others notice by themselves, and those that don't are killed. Of all that they
 * say, the user and Kubernetes are told what ended the run.
 */
final class RankLauncher {
  /** How long the others may take to notice that a rank has ended, and to finish a write. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final Duration POLL = Duration.ofMillis(20);

  private final RankEnvironment ranks;
  private final int perNode;
  private final Environment environment;
  private final GracefulStop stop;
  private final PrintWriter err;
  private final List<String> arguments;

  /**
   * @param ranks the nodes
   * @param perNode processes to start here
   * @param arguments those of this program, with which each rank is started
   */
  RankLauncher(
      RankEnvironment ranks,
      int perNode,
      Environment environment,
      GracefulStop stop,
      PrintWriter err,
      List<String> arguments) {
    this.ranks = ranks;
    this.perNode = perNode;
    this.environment = environment;
    this.stop = stop;
    this.err = err;
    this.arguments = arguments;
  }

  /** Runs all ranks to their end, and returns the exit code that tells of it. */
  int launch() {
    try {
      Path folder = Files.createTempDirectory("finetune-ranks");
      try {
        return say(run(folder));
      } finally {
        delete(folder);
      }
    } catch (IOException e) {
      return lastWords().say(ProgramEnd.of(e));
    }
  }

  private List<RankProcess> run(Path folder) throws IOException {
    ContainerMemory memory = ContainerMemory.now();
    int port = port();
    var processes = new ArrayList<RankProcess>();
    try {
      for (int local = 0; local < perNode; local++) {
        processes.add(start(local, port, folder));
      }
      await(processes);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      processes.forEach(RankProcess::kill);
    }
    if (memory.killedSince()) {
      processes.forEach(RankProcess::killedForMemory);
    }
    return processes;
  }

  private RankProcess start(int local, int port, Path folder) throws IOException {
    int rank = ranks.nodeRank() * perNode + local;
    var worker = new RankEnvironment.Worker(rank, local, ranks.nodes() * perNode);
    return RankProcess.start(
        worker, perNode, ranks.masterAddress(), port, folder.resolve("rank-" + rank), arguments);
  }

  /** Of a single machine any free port will do; several must agree on one. */
  private int port() throws IOException {
    if (ranks.masterPort().isPresent()) {
      return ranks.masterPort().get();
    }
    if (ranks.nodes() > 1) {
      return TrainerEnvironment.MASTER_PORT_NUMBER;
    }
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Returns when all have ended, or when those that go on after a failure have had their time. */
  private void await(List<RankProcess> processes) throws InterruptedException {
    boolean terminated = false;
    long deadline = Long.MAX_VALUE;
    while (processes.stream().anyMatch(RankProcess::isAlive)) {
      if (stop.signal().requested() && !terminated) {
        processes.forEach(RankProcess::terminate);
        terminated = true;
      }
      if (deadline == Long.MAX_VALUE && processes.stream().anyMatch(RankProcess::failed)) {
        deadline = System.nanoTime() + GRACE.toNanos();
      }
      if (deadline != Long.MAX_VALUE && System.nanoTime() - deadline > 0) {
        return;
      }
      processes.get(0).waitFor(POLL);
    }
  }

  private int say(List<RankProcess> processes) {
    List<RankEnd> ends = processes.stream().map(RankProcess::end).toList();
    Optional<RankEnd> failure =
        ends.stream().filter(RankEnd::failed).min(Comparator.comparing(RankEnd::order));
    Progress progress =
        ends.stream()
            .map(RankEnd::progress)
            .filter(each -> !each.equals(Progress.NONE))
            .findFirst()
            .orElse(Progress.NONE);
    TerminationMessage message =
        failure
            .map(end -> end.message(progress, environment.host()))
            .orElseGet(() -> ends.get(0).done(progress));
    if (message.exit() != TrainerExit.DONE) {
      err.println("trainer: " + message.message());
    }
    lastWords().write(message);
    return message.exit().code();
  }

  private LastWords lastWords() {
    return new LastWords(err, false, environment.terminationMessageFile());
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
