package dev.finetune.trainer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.ModelFolder;
import java.io.PrintStream;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trainer plan}: what {@code sft} would do with the same arguments. */
@Command(
    name = "plan",
    description = {
      "Checks a recipe, its model and every row of its data, and says what sft would do: rows and"
          + " what is left out, tokens, lengths, steps, memory and time. Loads no weight and writes"
          + " nothing.",
      "Takes sft's recipe and flags, and ends with the same exit codes: 65 lists the first twenty"
          + " rows that are wrong by file and line."
    },
    sortOptions = false,
    abbreviateSynopsis = true,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class PlanCommand implements Callable<Integer> {
  private static final ObjectWriter JSON = new ObjectMapper().writerWithDefaultPrettyPrinter();
  private static final double TERA = 1e12;

  @Spec private CommandSpec spec;

  @Mixin private RunOptions options = new RunOptions();

  @Option(
      names = "--flops",
      paramLabel = "TFLOPS",
      description =
          "Speed of a device in TFLOP/s for the estimate of the time, such as 400. Default: large"
              + " matrix products are measured on the first device for two seconds.")
  private Double flops;

  @Option(
      names = "--without_data",
      description =
          "Plan from the model's config.json alone, for rows of maxLength tokens: neither rows nor"
              + " tokenizer nor weights are read, nor need the devices be here. Says what lies where and"
              + " whether it fits.")
  private boolean withoutData;

  @Option(names = "--json", description = "Print the plan as JSON.")
  private boolean json;

  private final GracefulStop stop;
  private final Environment environment;
  private final PrintStream out;

  PlanCommand(GracefulStop stop, Environment environment, PrintStream out) {
    this.stop = stop;
    this.environment = environment;
    this.out = out;
  }

  @Override
  public Integer call() {
    ProgramEnd end =
        ProgramEnd.after(
            () -> {
              if (withoutData) {
                print(sizes());
              } else {
                print(plan());
              }
              return "planned";
            });
    return new LastWords(spec.commandLine().getErr(), options.debug(), Optional.empty()).say(end);
  }

  private RunPlan plan() {
    if (flops != null && !(flops > 0)) {
      throw new TrainerException(TrainerExit.USAGE, "--flops must be above 0, in TFLOP/s");
    }
    Recipe recipe = recipe();
    DataCheck data = new DataCheck(recipe, new Locations(environment.volumes()));
    try (Tokenizer tokenizer = Tokenizer.load(data.modelPath())) {
      PreparedDataset dataset = data.prepare(tokenizer, LocalDate.now(ZoneOffset.UTC));
      stop.check();
      ModelFolder folder = ModelFolder.open(data.modelPath());
      folder.config().checkLength(dataset.verdict().maxLength());
      return planning(recipe).plan(dataset, folder);
    }
  }

  private SizesPlan sizes() {
    Recipe recipe = recipe();
    int length = recipe.training().maxLength();
    DataCheck data = new DataCheck(recipe, new Locations(environment.volumes()));
    ModelFolder folder = ModelFolder.ofConfig(data.modelPath());
    folder.config().checkLength(length);
    return new SizesPlan(
        TuningMethod.of(recipe, folder).counts(folder),
        length,
        data.tiling().map(tiling -> SizesPlan.Pictures.of(tiling, length)).orElse(null),
        planning(recipe).devices(folder, length));
  }

  private Recipe recipe() {
    return options.recipe(spec.commandLine().getParseResult()).recipe();
  }

  private Planning planning(Recipe recipe) {
    RankEnvironment environmentOfRanks = RankEnvironment.of(System.getenv());
    List<String> devices = options.devices(/* localRank= */ 0);
    return new Planning(
        recipe,
        environmentOfRanks.nodes() * options.ranksPerNode(environmentOfRanks),
        devices,
        options.budgets(/* localRank= */ 0, devices.size()),
        flops == null ? OptionalDouble.empty() : OptionalDouble.of(flops * TERA));
  }

  private void print(SizesPlan plan) throws JsonProcessingException {
    if (json) {
      out.println(JSON.writeValueAsString(plan));
    } else {
      plan.lines().forEach(out::println);
    }
  }

  private void print(RunPlan plan) throws JsonProcessingException {
    if (json) {
      out.println(JSON.writeValueAsString(plan));
    } else {
      new PlanText(plan, spec.usageMessage().width()).lines().forEach(out::println);
    }
  }
}
