package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The program {@code trainer}. */
@Command(
    name = "trainer",
    description = "Tunes language models, answers with them and merges them.",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
public final class Main {
  private Main() {}

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    GracefulStop stop = GracefulStop.install();
    // The console's encoding may be ASCII in a container; what a model says isn't.
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    int code = TrainerExit.INTERNAL.code();
    try {
      code = commandLine(stop, out).execute(RecipeOptions.spelled(arguments));
    } catch (Throwable thrown) {
      // The shutdown hook waits for exit() below: nothing may get past it.
      ProgramEnd.of(thrown).tell(new PrintWriter(System.err, true, StandardCharsets.UTF_8), true);
    }
    out.flush();
    stop.exit(code);
  }

  static CommandLine commandLine(GracefulStop stop, PrintStream out) {
    Environment environment = Environment.of(System.getenv());
    CommandLine sft = new CommandLine(new SftCommand(stop, environment, out));
    RecipeOptions.addTo(sft.getCommandSpec());
    CommandLine plan = new CommandLine(new PlanCommand(stop, environment, out));
    RecipeOptions.addTo(plan.getCommandSpec());
    return new CommandLine(new Main())
        .addSubcommand(sft)
        .addSubcommand(plan)
        .addSubcommand(new InferCommand(stop, environment, out))
        .addSubcommand(new ExportCommand(environment, out))
        .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUnmatchedOptionsAllowedAsOptionParameters(false)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(new CommandLineErrors(environment))
        .setExecutionExceptionHandler(
            (thrown, command, parsed) ->
                new LastWords(command.getErr(), false, environment.terminationMessageFile())
                    .say(ProgramEnd.of(thrown)));
  }
}
