package dev.finetune.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.finetune.api.v1alpha1.NonFinitePolicy;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.RecipeFixture;
import dev.finetune.trainer.checkpoint.CheckpointScan;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.Destination;
import dev.finetune.trainer.checkpoint.RunIdentity;
import dev.finetune.trainer.checkpoint.RunToken;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.RowOrder;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.distributed.RankThreads;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.method.TokenSums;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.report.Rollback;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What several ranks decide together, with a loss that becomes NaN on one of them. */
class RankDecisionsTest {
  private static final int ROWS_PER_STEP = 4;
  private static final int FAILING_STEP = 3;

  @TempDir Path folder;

  private final GoldenModel golden = new GoldenModel("tiny-llama");

  /** What a rank ends with. */
  private record Outcome(
      TrainerState state, Map<String, HostTensor> adapter, List<Rollback> rollbacks) {}

  @Test
  void allRanksGoBackWhereOneHasALossThatIsNaN() throws IOException {
    List<Outcome> two = RankThreads.run(2, group -> train(group, "two"));
    Outcome one = train(new SingleProcess(), "one");

    assertThat(two.get(0).state()).isEqualTo(two.get(1).state());
    assertThat(two.get(0).state().leftOutStep()).isEqualTo(FAILING_STEP);
    assertThat(two.get(0).state().step()).isEqualTo(one.state().step());
    assertThat(two.get(0).rollbacks())
        .singleElement()
        .satisfies(
            rollback -> {
              assertThat(rollback.step()).isEqualTo(2);
              // The rows are those of the rank that has them.
              assertThat(rollback.reason()).contains("loss became NaN in step 3", "train:");
            });
    one.adapter()
        .forEach(
            (name, tensor) -> {
              assertThat(two.get(0).adapter().get(name).bytes())
                  .isEqualTo(two.get(1).adapter().get(name).bytes());
              assertThat(largestDifference(tensor, two.get(0).adapter().get(name)))
                  .isCloseTo(0, within(2e-5));
            });
  }

  private Outcome train(ProcessGroup group, String name) throws IOException {
    Recipe recipe =
        RecipeFixture.of(
            Map.of(
                "training.epochs",
                1,
                "training.learningRate",
                1e-3,
                "method.lora.dropout",
                0.0,
                "training.warmupRatio",
                0.0,
                "training.saveSteps",
                2,
                "training.onNonFiniteLoss",
                NonFinitePolicy.ROLLBACK));
    List<TokenizedExample> rows = golden.rows("train").subList(0, 6 * ROWS_PER_STEP);
    TrainingData data =
        new TrainingData(
            new MicroBatches(
                rows,
                new RowOrder(rows.size(), 1, false),
                ROWS_PER_STEP / group.size(),
                1,
                group.rank(),
                group.size(),
                golden.padId()),
            golden.evalBatches(2));
    List<Rollback> rollbacks = new ArrayList<>();
    RunListener listener =
        new RunListener() {
          @Override
          public void rolledBack(Rollback rollback) {
            rollbacks.add(rollback);
          }
        };
    boolean fails = group.rank() == group.size() - 1;
    try (TrainableModel model =
        new NanOnce(
            TunedModel.create(recipe, ModelFolder.open(golden.base()), "cpu", group), fails)) {
      Optional<CheckpointStore> store =
          group.rank() == 0 ? Optional.of(store(name)) : Optional.empty();
      TrainingPlan plan =
          new TrainingPlan(recipe.training(), data.training().windowsPerEpoch(), true);
      Ranks ranks = new Ranks(group, new StopSignal(), "here");
      LoopEnd end =
          new TrainingLoop(plan, data, model, store, listener, ranks, Clock.systemUTC())
              .run(TrainerState.START);
      assertThat(end.finished()).isTrue();
      // Epochs are dated, each rank by itself.
      TrainerState state = end.state();
      return new Outcome(
          new TrainerState(
              state.step(),
              state.epochSum(),
              state.unloggedSum(),
              state.logged(),
              state.evaluation(),
              List.of(),
              state.leftOutStep()),
          model.adapter(),
          rollbacks);
    }
  }

  private CheckpointStore store(String name) throws IOException {
    RunIdentity run =
        new RunIdentity(
            JsonNodeFactory.instance.objectNode(), 1, "data", "model", "2026-11-25", Map.of());
    Path destination = Files.createDirectory(folder.resolve(name));
    return new CheckpointScan(new Destination(destination, "pvc://models/" + name), line -> {})
        .open(run, RunToken.of("here"), 2);
  }

  private static double largestDifference(HostTensor one, HostTensor other) {
    return IntStream.range(0, one.floats().limit())
        .mapToDouble(i -> Math.abs(one.floats().get(i) - other.floats().get(i)))
        .max()
        .orElseThrow();
  }

  /** A model whose loss is NaN in its third window, the first time. */
  private static final class NanOnce implements TrainableModel {
    private final TrainableModel model;
    private final boolean fails;
    private int windows;

    NanOnce(TrainableModel model, boolean fails) {
      this.model = model;
      this.fails = fails;
    }

    @Override
    public List<TokenSums> accumulate(
        List<Batch> batches,
        long windowTokens,
        IntToLongFunction dropoutSeed,
        BooleanSupplier stop) {
      windows++;
      List<TokenSums> sums = model.accumulate(batches, windowTokens, dropoutSeed, stop);
      return fails && windows == FAILING_STEP
          ? sums.stream().map(each -> new TokenSums(Double.NaN, each.correct())).toList()
          : sums;
    }

    @Override
    public double step(double learningRate) {
      return model.step(learningRate);
    }

    @Override
    public TokenSums evaluate(Batch batch) {
      return model.evaluate(batch);
    }

    @Override
    public Map<String, HostTensor> adapter() {
      return model.adapter();
    }

    @Override
    public Map<String, HostTensor> optimizer() {
      return model.optimizer();
    }

    @Override
    public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
      model.restore(adapter, optimizer);
    }

    @Override
    public Optional<String> adapterConfig() {
      return model.adapterConfig();
    }

    @Override
    public ParameterCounts parameters() {
      return model.parameters();
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
