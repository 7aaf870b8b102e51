package dev.finetune.trainer.cli;

import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** The flags that say what is trained and where, besides those that build the recipe. */
final class RunOptions {
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
          "Devices to train on, such as cpu or cuda:0,cuda:1: a process (rank) each, which holds a copy"
              + " of the model and takes --batch_size rows of a micro-batch; with --parallelism Layers"
              + " one process for all. Default: every GPU, or the CPU.")
  private List<String> devices = List.of();

  @Option(
      names = "--nproc_per_node",
      paramLabel = "N",
      description =
          "Processes (ranks) on this machine, on a device each. Default: NPROC_PER_NODE, or one for each"
              + " device. Several machines: set NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT as for torchrun.")
  private Integer ranksPerNode;

  @Mixin private LayersOptions layers = new LayersOptions();

  @Option(names = "--debug", description = "Print the trace of every error.")
  private boolean debug;

  /**
   * The recipe that the file and the flags make.
   *
   * @throws TrainerException USAGE if it isn't valid
   */
  ResolvedRecipe recipe(ParseResult parsed) {
    return RecipeOptions.recipe(parsed, recipeFile);
  }

  /** Processes on this machine. */
  int ranksPerNode(RankEnvironment ranks) {
    return Optional.ofNullable(ranksPerNode)
        .or(ranks::ranksPerNode)
        .or(() -> layers.chosen() ? Optional.of(1) : Optional.empty())
        .orElseGet(
            () -> devices.isEmpty() ? Devices.ofThisProcess().visible().size() : devices.size());
  }

  /** The devices of one of the ranks on this machine. */
  List<String> devices(int localRank) {
    Devices here = Devices.ofThisProcess();
    return layers.chosen()
        ? here.shareOfRank(
            layers.devices(devices, here::visible),
            localRank,
            ranksPerNode(RankEnvironment.of(System.getenv())))
        : List.of(here.ofRank(devices, localRank));
  }

  LayersOptions layers() {
    return layers;
  }

  /** Bytes that each device of a rank may hold; empty where nothing was said. */
  List<Long> budgets(int localRank, int devicesOfRank) {
    int all = devicesOfRank * ranksPerNode(RankEnvironment.of(System.getenv()));
    return layers.budgets(localRank, devicesOfRank, all);
  }

  boolean debug() {
    return debug;
  }
}
