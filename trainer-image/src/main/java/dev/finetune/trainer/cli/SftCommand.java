package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.report.JsonLineConsole;
import dev.finetune.trainer.report.LastLines;
import dev.finetune.trainer.report.Listeners;
import dev.finetune.trainer.report.ProgressBar;
import dev.finetune.trainer.report.ProgressServer;
import dev.finetune.trainer.report.ProgressTracker;
import dev.finetune.trainer.report.RunListener;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trainer sft}: supervised fine-tuning of a recipe. */
@Command(
    name = "sft",
    description = {
      "Tunes a model as a recipe says, and writes a LoRA adapter in PEFT's format.",
      "The recipe comes from --recipe, from flags with ms-swift's names, or from both: a flag"
          + " overrides the file. A destination that holds checkpoints of the same recipe is resumed:"
          + " of its settings only loggingSteps, evalSteps, saveSteps and keepCheckpoints may differ."
    },
    sortOptions = false,
    abbreviateSynopsis = true,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class SftCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--recipe",
      paramLabel = "FILE",
      description = "The recipe as YAML or JSON: what stands under spec.recipe of a FineTuneJob.")
  private Path recipeFile;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      split = ",",
      description =
          "Devices to train on, such as cpu or cuda:0,cuda:1; each holds a replica of the model and"
              + " takes --batch_size rows of a micro-batch. Default: every GPU, or the CPU.")
  private List<String> devices;

  @Option(names = "--debug", description = "Print the trace of every error.")
  private boolean debug;

  private final GracefulStop stop;
  private final Environment environment;
  private final PrintStream out;

  SftCommand(GracefulStop stop, Environment environment, PrintStream out) {
    this.stop = stop;
    this.environment = environment;
    this.out = out;
  }

  @Override
  public Integer call() {
    ProgressTracker tracker = new ProgressTracker(System::nanoTime);
    LastLines log = new LastLines();
    ProgramEnd end;
    try {
      end = ProgramEnd.done(run(tracker, log));
    } catch (Throwable thrown) {
      // Whatever it is, the exit code and the last words must say so.
      end = ProgramEnd.of(thrown);
    }
    return new LastWords(spec.commandLine().getErr(), debug, environment.terminationMessageFile())
        .say(end, tracker.progress(), log.text());
  }

  private String run(ProgressTracker tracker, LastLines log) {
    ResolvedRecipe recipe = RecipeOptions.recipe(spec.commandLine().getParseResult(), recipeFile);
    RunListener console =
        Terminal.isStandardOutput()
            ? new ProgressBar(out, tracker::progress)
            : new JsonLineConsole(out, tracker::progress, log);
    RunListener listener = new Listeners(List.of(tracker, console));
    Optional<ProgressServer> server = environment.listen().map(where -> serve(where, tracker));
    try {
      return tuning(recipe, listener).run();
    } finally {
      console.ended();
      server.ifPresent(ProgressServer::close);
    }
  }

  private FineTuning tuning(ResolvedRecipe recipe, RunListener listener) {
    Devices here = Devices.ofThisProcess();
    List<String> chosen = devices == null ? here.visible() : devices;
    here.warning(chosen).ifPresent(listener::warned);
    return new FineTuning(
        recipe,
        new Locations(environment.volumes()),
        environment.token(),
        listener,
        stop,
        chosen,
        ModelFactory.DEFAULT);
  }

  private static ProgressServer serve(String hostAndPort, ProgressTracker tracker) {
    int colon = hostAndPort.lastIndexOf(':');
    try {
      InetSocketAddress address =
          new InetSocketAddress(
              hostAndPort.substring(0, Math.max(0, colon)),
              Integer.parseInt(hostAndPort.substring(colon + 1)));
      return ProgressServer.start(address, tracker::progress);
    } catch (IllegalArgumentException | IOException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is '%s', which can't be listened on: %s; it must be HOST:PORT, such as 0.0.0.0:8080"
              .formatted(TrainerEnvironment.LISTEN, hostAndPort, e.getMessage()),
          e);
    }
  }
}
