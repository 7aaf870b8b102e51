package dev.finetune.e2e.harness;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** kubectl, for what only it shows: printer columns, describe, drain. */
public final class Kubectl {
  private final Settings settings;

  Kubectl(Settings settings) {
    this.settings = settings;
  }

  /** Runs it to its end and returns what it printed. */
  public String run(String... arguments) {
    return Command.run(command(arguments));
  }

  /**
   * Starts it, for a command that doesn't end by itself.
   *
   * @param output file for what it prints
   */
  public Process start(Path output, String... arguments) {
    return Command.start(output, command(arguments));
  }

  private List<String> command(String... arguments) {
    Path kubectl = settings.bin().resolve("kubectl");
    var command = new ArrayList<String>();
    command.add(Files.isExecutable(kubectl) ? kubectl.toString() : "kubectl");
    command.add("--kubeconfig=" + settings.kubeconfig());
    command.addAll(List.of(arguments));
    return command;
  }
}
