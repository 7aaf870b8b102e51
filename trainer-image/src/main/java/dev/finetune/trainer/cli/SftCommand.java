package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.distributed.C10dGroup;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.distributed.Rendezvous;
import dev.finetune.trainer.distributed.SingleProcess;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
          + " of its settings only those of logging, evaluation, saving and stopping may differ."
    },
    sortOptions = false,
    abbreviateSynopsis = true,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class SftCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private RunOptions options = new RunOptions();

  @Option(
      names = "--ddp_timeout",
      paramLabel = "SECONDS",
      description = "How long ranks wait for one that takes no part. Default: DDP_TIMEOUT, or 600.")
  private Integer timeoutSeconds;

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
    RankEnvironment ranks = RankEnvironment.of(System.getenv());
    if (ranks.worker().isPresent()) {
      return work(ranks, ranks.worker().get());
    }
    int perNode = options.ranksPerNode(ranks);
    if (ranks.nodes() * perNode > 1) {
      // One that isn't valid is told of once, and before ranks wait for each other.
      var unused = recipe();
      return new RankLauncher(
              ranks, perNode, environment, stop, spec.commandLine().getErr(), arguments())
          .launch();
    }
    return train(
        new LastWords(
            spec.commandLine().getErr(), options.debug(), environment.terminationMessageFile()),
        SingleProcess::new,
        /* localRank= */ 0);
  }

  /** A launcher ends the ranks of a machine together and says the last words for all. */
  private int work(RankEnvironment ranks, RankEnvironment.Worker worker) {
    ranks.launcher().ifPresent(SftCommand::endWith);
    LastWords lastWords =
        LastWords.ofWorker(
            spec.commandLine().getErr(), options.debug(), environment.terminationMessageFile());
    return train(lastWords, () -> join(ranks, worker), worker.localRank());
  }

  /** A launcher that was killed can't end its workers any more. Halting calls no exit handlers. */
  private static void endWith(long launcher) {
    var unused =
        ProcessHandle.of(launcher)
            .map(ProcessHandle::onExit)
            .orElseGet(() -> CompletableFuture.completedFuture(null))
            .thenRun(() -> Runtime.getRuntime().halt(TrainerExit.TRY_AGAIN.code()));
  }

  private List<String> arguments() {
    return spec.commandLine().getParseResult().originalArgs();
  }

  private ProcessGroup join(RankEnvironment ranks, RankEnvironment.Worker worker) {
    Duration timeout =
        Optional.ofNullable(timeoutSeconds).map(Duration::ofSeconds).orElse(ranks.timeout());
    Rendezvous rendezvous =
        new Rendezvous(
            ranks.masterAddress(),
            ranks.masterPort().orElseThrow(),
            worker.rank(),
            worker.ranks(),
            ranks.startTimeout(),
            timeout,
            options.devices(worker.localRank()).get(0));
    return stop.interruptible(
        () -> C10dGroup.join(rendezvous, spec.commandLine().getErr()::println));
  }

  private int train(LastWords lastWords, Supplier<ProcessGroup> joining, int localRank) {
    ProgressTracker tracker = new ProgressTracker(System::nanoTime);
    LastLines log = new LastLines();
    ProgramEnd end;
    try {
      ResolvedRecipe recipe = recipe();
      try (ProcessGroup group = joining.get()) {
        end = ProgramEnd.done(run(recipe, tracker, log, group, localRank));
      }
    } catch (Throwable thrown) {
      // Whatever it is, the exit code and the last words must say so.
      end = ProgramEnd.of(thrown);
    }
    return lastWords.say(end, tracker.progress(), log.text());
  }

  private ResolvedRecipe recipe() {
    return options.recipe(spec.commandLine().getParseResult());
  }

  private String run(
      ResolvedRecipe recipe,
      ProgressTracker tracker,
      LastLines log,
      ProcessGroup group,
      int localRank) {
    LocalRank rank = new LocalRank(group, options.devices(localRank), environment.host());
    if (!rank.leads()) {
      return tuning(recipe, new RunListener() {}, rank, localRank).run();
    }
    RunListener console =
        Terminal.isStandardOutput()
            ? new ProgressBar(out, tracker::progress)
            : new JsonLineConsole(out, tracker::progress, log);
    RunListener listener = new Listeners(List.of(tracker, console));
    Optional<ProgressServer> server = environment.listen().map(where -> serve(where, tracker));
    try {
      flagNotes().forEach(listener::noted);
      Devices.ofThisProcess().warning(rank.devices()).ifPresent(listener::warned);
      return tuning(recipe, listener, rank, localRank).run();
    } finally {
      console.ended();
      server.ifPresent(ProgressServer::close);
    }
  }

  private List<String> flagNotes() {
    List<String> notes = new ArrayList<>(RecipeOptions.notes(spec.commandLine().getParseResult()));
    options.layers().note().ifPresent(notes::add);
    return notes;
  }

  private FineTuning tuning(
      ResolvedRecipe recipe, RunListener listener, LocalRank rank, int localRank) {
    return new FineTuning(
        recipe,
        new Locations(environment.volumes()),
        environment.token(),
        listener,
        stop,
        rank,
        options.layers().chosen()
            ? new LayeredModels(options.budgets(localRank, rank.devices().size()), listener)
            : ModelFactory.DEFAULT);
  }

  private static ProgressServer serve(String hostAndPort, ProgressTracker tracker) {
    int colon = hostAndPort.lastIndexOf(':');
    try {
      InetSocketAddress address =
          new InetSocketAddress(
              hostAndPort.substring(0, Math.max(0, colon)),
              Integer.parseInt(hostAndPort.substring(colon + 1)));
      return ProgressServer.start(address, tracker);
    } catch (IllegalArgumentException | IOException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is '%s', which can't be listened on: %s; it must be HOST:PORT, such as 0.0.0.0:8080"
              .formatted(TrainerEnvironment.LISTEN, hostAndPort, e.getMessage()),
          e);
    }
  }
}
