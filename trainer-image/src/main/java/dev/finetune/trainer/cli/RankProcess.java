package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The process of one rank: this program again, told its rank by torchrun's variables. */
final class RankProcess {
  /** Share of the memory that the heaps of all ranks may take; the rest is libtorch's. */
  private static final double HEAPS_PERCENTAGE = 40;

  private static final String THREADS = "OMP_NUM_THREADS";

  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final RankEnvironment.Worker worker;
  private final Process process;
  private final Path lastWords;
  private boolean killedByUs;
  private boolean killedForMemory;

  private RankProcess(RankEnvironment.Worker worker, Process process, Path lastWords) {
    this.worker = worker;
    this.process = process;
    this.lastWords = lastWords;
  }

  /**
   * Starts a rank.
   *
   * @param perNode how many share this machine's processors and memory
   * @param lastWords the file that it writes at its end
   * @param arguments of the program
   */
  static RankProcess start(
      RankEnvironment.Worker worker,
      int perNode,
      String masterAddress,
      int masterPort,
      Path lastWords,
      List<String> arguments)
      throws IOException {
    var builder = new ProcessBuilder(command(perNode, arguments));
    Map<String, String> variables = builder.environment();
    variables.put(RankEnvironment.RANK, String.valueOf(worker.rank()));
    variables.put(RankEnvironment.LOCAL_RANK, String.valueOf(worker.localRank()));
    variables.put(RankEnvironment.WORLD_SIZE, String.valueOf(worker.ranks()));
    variables.put(TrainerEnvironment.MASTER_ADDRESS, masterAddress);
    variables.put(TrainerEnvironment.MASTER_PORT, String.valueOf(masterPort));
    variables.put(TrainerEnvironment.TERMINATION_MESSAGE_FILE, lastWords.toString());
    variables.put(RankEnvironment.LAUNCHER, String.valueOf(ProcessHandle.current().pid()));
    // Where it is set it is that of a process, as torchrun takes it.
    variables.putIfAbsent(THREADS, threads(perNode));
    // The JVM has them already, as arguments of this one.
    variables.remove("JDK_JAVA_OPTIONS");
    if (worker.rank() == 0) {
      // The progress bar needs the terminal itself.
      return new RankProcess(worker, builder.inheritIO().start(), lastWords);
    }
    variables.remove(TrainerEnvironment.LISTEN);
    builder.redirectErrorStream(true).redirectInput(ProcessBuilder.Redirect.INHERIT);
    Process process = builder.start();
    Thread lines = new Thread(() -> passOn(process, worker.rank()), "rank-" + worker.rank());
    lines.setDaemon(true);
    lines.start();
    return new RankProcess(worker, process, lastWords);
  }

  private static List<String> command(int perNode, List<String> arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add(
        String.format(Locale.ROOT, "-XX:MaxRAMPercentage=%.2f", HEAPS_PERCENTAGE / perNode));
    command.add("-cp");
    command.add(classPath());
    command.add(Main.class.getName());
    command.addAll(arguments);
    return command;
  }

  /** Absolute: a jar's manifest names its libraries relative to itself. */
  private static String classPath() {
    var absolute = new ArrayList<String>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      absolute.add(new File(entry).getAbsolutePath());
    }
    return String.join(File.pathSeparator, absolute);
  }

  /** The ranks share the processors; more threads than those only wait for each other. */
  private static String threads(int perNode) {
    return String.valueOf(Math.max(1, Runtime.getRuntime().availableProcessors() / perNode));
  }

  private static void passOn(Process process, int rank) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        System.err.println("[rank " + rank + "] " + line);
      }
    } catch (IOException e) {
      // Its end is told by its exit code.
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  boolean failed() {
    return !process.isAlive() && process.exitValue() != 0;
  }

  void waitFor(Duration patience) throws InterruptedException {
    if (process.isAlive()) {
      process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
    } else {
      Thread.sleep(patience.toMillis());
    }
  }

  /** SIGTERM: it saves and ends. */
  void terminate() {
    process.destroy();
  }

  /** SIGKILL to one that goes on although the run is over. */
  void kill() {
    if (process.isAlive()) {
      killedByUs = true;
      process.destroyForcibly();
      process.onExit().join();
    }
  }

  /** Notes that the kernel killed processes of this container for want of memory. */
  void killedForMemory() {
    killedForMemory = true;
  }

  /** How it ended. */
  RankEnd end() {
    return new RankEnd(worker.rank(), process.exitValue(), killedByUs, killedForMemory, message());
  }

  private Optional<TerminationMessage> message() {
    try {
      return Files.exists(lastWords)
          ? Optional.of(JSON.readValue(lastWords.toFile(), TerminationMessage.class))
          : Optional.empty();
    } catch (IOException e) {
      // Cut short by its end: its exit code tells.
      return Optional.empty();
    }
  }
}
