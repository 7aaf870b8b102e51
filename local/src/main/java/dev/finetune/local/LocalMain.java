package dev.finetune.local;

import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The program {@code local}. */
@QuarkusMain
@Command(
    name = "local",
    description = "Runs FineTuneJobs in a cluster inside this process.",
    mixinStandardHelpOptions = true,
    subcommands = {RunCommand.class, UpCommand.class})
public final class LocalMain {
  private LocalMain() {}

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    CommandLine commandLine = new CommandLine(new LocalMain());
    // The console's encoding may be ASCII; a manifest's text isn't.
    commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    System.exit(commandLine.execute(arguments));
  }
}
