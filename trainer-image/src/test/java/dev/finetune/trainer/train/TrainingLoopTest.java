package dev.finetune.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.NonFinitePolicy;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.RecipeFixture;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.CheckpointScan;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.Destination;
import dev.finetune.trainer.checkpoint.RunIdentity;
import dev.finetune.trainer.checkpoint.RunToken;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.report.EvaluationReport;
import dev.finetune.trainer.report.Rollback;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.StepReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingLoopTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-25T10:00:00.123Z"), ZoneOffset.UTC);

  @TempDir Path folder;

  private final FakeModel model = new FakeModel();
  private final Recorder recorder = new Recorder();
  private final StopSignal stop = new StopSignal();

  @Test
  void theLastWindowOfAnEpochIsDividedByItsOwnTokens() throws IOException {
    run(FakeData.of(5, 2, 0), options(1, null, 100));

    // Rows of 2, 3, 4, 2 and 3 tokens; the first of each has no prediction.
    assertThat(model.calls.stream().map(call -> call.substring(0, call.indexOf('/'))))
        .containsExactly("3", "3", "4", "4", "2");
    assertThat(model.rates).hasSize(3);
  }

  @Test
  void dropoutSeedsDifferInEveryMicroBatchOfTheRun() throws IOException {
    run(FakeData.of(6, 2, 0), options(3, null, 100));

    assertThat(new HashSet<>(model.calls)).hasSize(18);
  }

  @Test
  void logsTheFirstStepThenEveryFewThenTheLast() throws IOException {
    run(FakeData.of(6, 1, 0), options(2, 11, 100));

    assertThat(recorder.logged.stream().map(StepReport::step)).containsExactly(1, 5, 10, 11);
    double meanOfTwoToFive =
        recorder.steps.subList(1, 5).stream()
                .mapToDouble(each -> each.loss() * (each.tokens() - 1))
                .sum()
            / recorder.steps.subList(1, 5).stream().mapToLong(each -> each.tokens() - 1).sum();
    assertThat(recorder.logged.get(1).loss()).isEqualTo(meanOfTwoToFive);
    // Rows of 3, 4, 2 and 3 tokens: 2, 3, 1 and 2 of them supervised, the last of each row wrong.
    assertThat(recorder.logged.get(1).tokenAccuracy()).isEqualTo(0.5);
  }

  @Test
  void epochLossIsTheTokenMeanOverTheEpoch() throws IOException {
    run(FakeData.of(6, 2, 2), options(2, null, 100));

    assertThat(recorder.epochs).hasSize(2);
    EpochResult second = recorder.epochs.get(1);
    double nll = 0;
    long tokens = 0;
    for (StepReport step : recorder.steps.subList(3, 6)) {
      long supervised = step.tokens() - 2;
      nll += step.loss() * supervised;
      tokens += supervised;
    }
    assertThat(second.loss()).isEqualTo(nll / tokens, within(1e-12));
    assertThat(second.step()).isEqualTo(6);
    assertThat(second.epoch()).isEqualTo(2);
    assertThat(second.evalLoss()).isNotNull();
    assertThat(second.completionTime()).isEqualTo("2026-11-25T10:00:00Z");
  }

  @Test
  void everySaveIsPrecededByAnEvaluation() throws IOException {
    run(FakeData.of(10, 1, 1), options(1, null, 4));

    assertThat(recorder.events)
        .containsExactly("eval 4", "save 4", "eval 8", "save 8", "eval 10", "epoch 1", "save 10");
  }

  @Test
  void validationLossIsATokenMean() throws IOException {
    run(FakeData.of(2, 1, 3), options(1, null, 100));

    double[] target = {0.1, 0.2, 0.3};
    double[] supervised = {2, 3, 1};
    double sum = 0;
    for (double each : model.weights()) {
      for (int row = 0; row < 3; row++) {
        sum += (each - target[row]) * (each - target[row]) * supervised[row];
      }
    }
    assertThat(recorder.evalLosses).hasSize(1);
    assertThat(recorder.evalLosses.get(0)).isEqualTo(sum / 6, within(1e-12));
    // Of 2 + 3 + 1 tokens the last of each row is wrong.
    EvaluationReport report = recorder.evaluations.get(0);
    assertThat(report.tokenAccuracy()).isEqualTo(0.5);
    assertThat(report.perplexity()).isEqualTo(Math.exp(sum / 6), within(1e-12));
  }

  @Test
  void aRunWithoutValidationSavesWithoutComparing() throws IOException {
    CheckpointStore store = store();
    loop(store, FakeData.of(4, 1, 0), options(1, null, 100)).run(TrainerState.START);

    assertThat(store.summary().latest().step()).isEqualTo(4);
    assertThat(store.summary().best()).isNull();
  }

  @Test
  void aNonFiniteLossEndsTheRunAndNamesStepAndRow() {
    model.nanAtCall = 5;

    assertThatThrownBy(() -> run(FakeData.of(8, 2, 0), options(1, null, 100)))
        .isInstanceOfSatisfying(
            TrainerException.class,
            e -> assertThat(e.exit()).isEqualTo(TrainerExit.NON_FINITE_LOSS))
        .hasMessageContaining("step 3")
        .hasMessageContaining("train.jsonl:6")
        .hasMessageNotContaining("train.jsonl:5")
        .hasMessageContaining("learningRate")
        .hasMessageContaining("FP32");
    assertThat(model.rates).hasSize(2);
  }

  @Test
  void aNonFiniteGradientNormNamesAllRowsOfTheWindow() {
    model.nanAtStep = 1;

    assertThatThrownBy(() -> run(FakeData.of(8, 2, 0), options(1, null, 100)))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("gradient norm became Infinity in step 2")
        .hasMessageContaining("train.jsonl:3, train.jsonl:4");
    assertThat(recorder.steps).hasSize(1);
  }

  @Test
  void aNonFiniteLossNamesWhereItComesOut() {
    model.nanAtCall = 0;
    model.firstNonFinite = "decoder layer 3";

    assertThatThrownBy(() -> run(FakeData.of(8, 2, 0), options(1, null, 100)))
        .hasMessageContaining("comes out of decoder layer 3");
  }

  @Test
  void evaluationsThatGetNoBetterEndTrainingWithTheBestOneSaved() throws IOException {
    // Evaluated every two steps, saved every five and at the end of an epoch of ten.
    model.evalLosses = List.of(3.0, 1.0, 2.0, 1.5, 1.0, 0.5);
    CheckpointStore store = store();
    TrainingData data = FakeData.of(10, 1, 1);
    TrainingOptions options =
        options(
            Map.of(
                "training.epochs", 3,
                "training.saveSteps", 5,
                "training.evalSteps", 2,
                "training.earlyStoppingPatience", 3));

    LoopEnd end = loop(store, data, options).run(TrainerState.START);

    assertThat(end.finished()).isTrue();
    // The best, 1.0 in step 4, is no step that is saved otherwise; equal to it is no better.
    assertThat(end.state().step()).isEqualTo(8);
    assertThat(recorder.events)
        .containsExactly(
            "eval 2", "save 2", "eval 4", "save 4", "eval 5", "save 5", "eval 6", "eval 8",
            "save 8", "early 8");
    assertThat(store.summary().best().step()).isEqualTo(4);
    TrainingPlan plan = plan(options, data);
    assertThat(plan.totalSteps()).isEqualTo(30);
    assertThat(plan.totalSteps(end.state())).isEqualTo(8);
  }

  @Test
  void theEvaluationsBeforeAResumeCountTowardsThePatience() throws IOException {
    Map<String, Object> settings = new HashMap<>();
    settings.put("training.epochs", 9);
    settings.put("training.saveSteps", 1);
    TrainingData data = FakeData.of(10, 1, 1);
    model.evalLosses = List.of(1.0, 2.0, 3.0);
    settings.put("training.maxSteps", 3);
    loop(store(), data, options(settings)).run(TrainerState.START);

    settings.put("training.maxSteps", 20);
    settings.put("training.earlyStoppingPatience", 4);
    FakeModel second = new FakeModel();
    second.evalLosses = List.of(4.0, 5.0, 6.0);
    CheckpointStore store = store();
    TrainerState state = store.resume(second);
    LoopEnd end =
        new TrainingLoop(
                plan(options(settings), data),
                data,
                second,
                Optional.of(store),
                new Recorder(),
                ranks(new StopSignal()),
                CLOCK)
            .run(state);

    assertThat(end.state().step()).isEqualTo(5);
    assertThat(store.summary().best().step()).isEqualTo(1);
  }

  @Test
  void aRollbackLeavesTheStepOutAndGoesOnAsIfItsRowsHadNeverBeen() throws IOException {
    TrainingData data = FakeData.of(8, 2, 1);
    TrainingOptions options = rollback(Map.of("training.epochs", 2, "training.saveSteps", 2));
    // The second micro-batch of step 4; step 2 is saved.
    model.nanAtCall = 7;
    CheckpointStore store = store();

    LoopEnd end = loop(store, data, options).run(TrainerState.START);

    assertThat(end.finished()).isTrue();
    assertThat(end.state().step()).isEqualTo(8);
    assertThat(end.state().leftOutStep()).isEqualTo(4);
    assertThat(recorder.rollbacks).hasSize(1);
    assertThat(recorder.rollbacks.get(0).step()).isEqualTo(2);
    assertThat(recorder.rollbacks.get(0).sentence())
        .contains("loss became NaN in step 4", "train.jsonl:8", "went back to step 2");
    assertThat(recorder.steps.stream().map(StepReport::step))
        .containsExactly(1, 2, 3, 3, 5, 6, 7, 8);
    assertThat(recorder.events).contains("left out 4");
    // The epoch's loss is that of the steps that were taken.
    double nll = 0;
    long tokens = 0;
    for (StepReport step :
        List.of(recorder.steps.get(0), recorder.steps.get(1), recorder.steps.get(3))) {
      nll += step.loss() * (step.tokens() - 2);
      tokens += step.tokens() - 2;
    }
    assertThat(recorder.epochs.get(0).loss()).isEqualTo(nll / tokens, within(1e-12));
    assertThat(model.rates).hasSize(8);
  }

  @Test
  void aRollbackBeforeTheFirstCheckpointGoesBackToTheStart() throws IOException {
    model.nanAtStep = 2;
    CheckpointStore store = store();

    LoopEnd end =
        loop(store, FakeData.of(8, 2, 0), rollback(Map.of("training.saveSteps", 100)))
            .run(TrainerState.START);

    assertThat(end.finished()).isTrue();
    assertThat(recorder.rollbacks.get(0).step()).isZero();
    assertThat(recorder.rollbacks.get(0).reason()).contains("gradient norm became Infinity");
    assertThat(recorder.steps.stream().map(StepReport::step)).containsExactly(1, 2, 1, 2, 4);
    assertThat(recorder.steps.get(2)).isEqualTo(recorder.steps.get(0));
  }

  @Test
  void theSecondTimeARunWithRollbackEnds() {
    model.nanAtCall = 2;
    model.nanAtStep = 3;

    assertThatThrownBy(() -> run(FakeData.of(8, 2, 0), rollback(Map.of("training.saveSteps", 100))))
        .isInstanceOfSatisfying(
            TrainerException.class,
            e -> assertThat(e.exit()).isEqualTo(TrainerExit.NON_FINITE_LOSS));
    assertThat(recorder.rollbacks).hasSize(1);
  }

  @Test
  void aRunThatWentBackIsResumedAsOneThatDid() throws IOException {
    TrainingData data = FakeData.shuffled(8, 2, 1);
    TrainingOptions options = rollback(Map.of("training.epochs", 2, "training.saveSteps", 2));
    model.nanAtCall = 7;
    run(data, options);

    for (int stopAt = 8; stopAt < model.calls.size(); stopAt++) {
      Path destination = Files.createDirectory(folder.resolve("rolled-" + stopAt));
      int stopCall = stopAt;
      FakeModel first = new FakeModel();
      StopSignal signal = new StopSignal();
      first.nanAtCall = 7;
      first.beforeAccumulate =
          call -> {
            if (call == stopCall) {
              signal.request();
            }
          };
      new TrainingLoop(
              plan(options, data),
              data,
              first,
              Optional.of(store(destination)),
              new Recorder(),
              ranks(signal),
              CLOCK)
          .run(TrainerState.START);
      FakeModel second = new FakeModel();
      CheckpointStore store = store(destination);
      Recorder resumed = new Recorder();
      LoopEnd end =
          new TrainingLoop(
                  plan(options, data),
                  data,
                  second,
                  Optional.of(store),
                  resumed,
                  ranks(new StopSignal()),
                  CLOCK)
              .run(store.resume(second));

      assertThat(end.state().leftOutStep()).isEqualTo(4);
      assertThat(second.weights()).containsExactly(model.weights());
      assertThat(resumed.evalLosses.get(resumed.evalLosses.size() - 1))
          .isEqualTo(recorder.evalLosses.get(recorder.evalLosses.size() - 1));
    }
  }

  private static TrainingOptions rollback(Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("training.onNonFiniteLoss", NonFinitePolicy.ROLLBACK);
    return options(all);
  }

  @Test
  void aSaveThatFailsIsMadeGoodByTheNext() throws IOException {
    Path away = folder.resolveSibling(folder.getFileName() + "-away");
    CheckpointStore store = store();
    List<String> warnings = new ArrayList<>();
    RunListener unmounting =
        new RunListener() {
          @Override
          public void stepTaken(StepReport report) {
            try {
              if (report.step() == 3) {
                Files.move(folder, away);
              } else if (report.step() == 5) {
                Files.move(away, folder);
              }
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }

          @Override
          public void warned(String message) {
            warnings.add(message);
          }
        };
    TrainingData data = FakeData.of(8, 1, 1);
    LoopEnd end =
        new TrainingLoop(
                plan(options(1, null, 2), data),
                data,
                model,
                Optional.of(store),
                unmounting,
                ranks(stop),
                CLOCK)
            .run(TrainerState.START);

    assertThat(end.finished()).isTrue();
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("step 4", "can't be written", "training goes on");
    assertThat(store().summary().latest().step()).isEqualTo(8);
  }

  @Test
  void aLastSaveThatFailsEndsTheRun() throws IOException {
    CheckpointStore store = store();
    RunListener unmounting =
        new RunListener() {
          @Override
          public void stepTaken(StepReport report) {
            if (report.step() == 4) {
              try {
                Files.move(folder, folder.resolveSibling(folder.getFileName() + "-gone"));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
          }
        };
    TrainingData data = FakeData.of(4, 1, 1);
    TrainingLoop loop =
        new TrainingLoop(
            plan(options(1, null, 2), data),
            data,
            model,
            Optional.of(store),
            unmounting,
            ranks(stop),
            CLOCK);

    assertThatThrownBy(() -> loop.run(TrainerState.START))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.OUTPUT))
        .hasMessageContaining("last checkpoint")
        .hasMessageContaining("checkpoint-2");
    Files.createDirectory(folder);
  }

  @Test
  void stoppedInAWindowItForgetsTheWindowAndSavesTheLastCompleteStep() throws IOException {
    model.beforeAccumulate =
        call -> {
          if (call == 9) {
            stop.request();
          }
        };
    CheckpointStore store = store();
    LoopEnd end = loop(store, FakeData.of(40, 4, 1), options(1, null, 100)).run(TrainerState.START);

    assertThat(end.finished()).isFalse();
    assertThat(end.state().step()).isEqualTo(2);
    assertThat(model.calls).as("the running micro-batch is finished, no other begun").hasSize(10);
    assertThat(store.summary().latest().step()).isEqualTo(2);
    assertThat(store.summary().latest().evalLoss()).isNull();
  }

  @Test
  void stoppedBeforeTheFirstStepIsDoneItSavesNothing() throws IOException {
    stop.request();
    run(FakeData.of(4, 1, 1), options(1, null, 100));

    assertThat(children())
        .extracting(path -> path.getFileName().toString())
        .containsExactly(".owner");
  }

  @Test
  void stoppedAnywhereAndResumedItEndsAsIfNothingHadHappened() throws IOException {
    TrainingData data = FakeData.shuffled(7, 3, 2);
    TrainingOptions options = options(2, 5, 2);
    run(data, options);
    List<StepReport> uninterrupted = recorder.steps;
    List<StepReport> uninterruptedLog = recorder.logged;
    List<EpochResult> uninterruptedEpochs = recorder.epochs;
    List<Double> uninterruptedEvals = recorder.evalLosses;
    double[] weights = model.weights();

    for (int stopAt = 0; stopAt < model.calls.size(); stopAt++) {
      Path destination = Files.createDirectory(folder.resolve("stopped-" + stopAt));
      Recorder both = new Recorder();
      int stopCall = stopAt;
      FakeModel first = new FakeModel();
      StopSignal signal = new StopSignal();
      first.beforeAccumulate =
          call -> {
            if (call == stopCall) {
              signal.request();
            }
          };
      new TrainingLoop(
              plan(options, data),
              data,
              first,
              Optional.of(store(destination)),
              both,
              ranks(signal),
              CLOCK)
          .run(TrainerState.START);
      FakeModel second = new FakeModel();
      CheckpointStore store = store(destination);
      TrainerState state = store.resume(second);
      LoopEnd end =
          new TrainingLoop(
                  plan(options, data),
                  data,
                  second,
                  Optional.of(store),
                  both,
                  ranks(new StopSignal()),
                  CLOCK)
              .run(state);

      assertThat(end.finished()).isTrue();
      assertThat(both.steps).isEqualTo(uninterrupted);
      assertThat(both.logged).isEqualTo(uninterruptedLog);
      assertThat(both.epochs).isEqualTo(uninterruptedEpochs);
      assertThat(both.evalLosses).isEqualTo(uninterruptedEvals);
      assertThat(second.weights()).containsExactly(weights);
    }
  }

  @Test
  void stoppedInAnEvaluationTheNextAttemptEvaluatesThatStepAndReplacesItsCheckpoint()
      throws IOException {
    TrainingData data = FakeData.of(4, 1, 2);
    model.beforeAccumulate =
        call -> {
          if (call == 3) {
            stop.request();
          }
        };
    // The stop comes in the last micro-batch of the last step, which is taken.
    LoopEnd stopped = loop(store(), data, options(1, null, 3)).run(TrainerState.START);
    assertThat(stopped.finished()).isFalse();
    assertThat(stopped.state().step()).isEqualTo(4);
    assertThat(store().summary().latest().evalLoss()).isNull();

    FakeModel third = new FakeModel();
    CheckpointStore last = store();
    LoopEnd end =
        new TrainingLoop(
                plan(options(1, null, 3), data),
                data,
                third,
                Optional.of(last),
                recorder,
                ranks(new StopSignal()),
                CLOCK)
            .run(last.resume(third));
    assertThat(end.finished()).isTrue();
    assertThat(third.calls).isEmpty();
    assertThat(store().summary().latest().evalLoss())
        .isEqualTo(recorder.evalLosses.get(recorder.evalLosses.size() - 1));
    assertThat(recorder.epochs).hasSize(1);
  }

  private List<Path> children() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.toList();
    }
  }

  private void run(TrainingData data, TrainingOptions options) throws IOException {
    Path own = Files.createDirectories(folder.resolveSibling(folder.getFileName() + "-run"));
    loop(stop.requested() ? store() : store(own), data, options).run(TrainerState.START);
  }

  private TrainingLoop loop(CheckpointStore store, TrainingData data, TrainingOptions options) {
    return new TrainingLoop(
        plan(options, data), data, model, Optional.of(store), recorder, ranks(stop), CLOCK);
  }

  private static Ranks ranks(StopSignal stop) {
    return new Ranks(new SingleProcess(), stop, "here");
  }

  private static TrainingPlan plan(TrainingOptions options, TrainingData data) {
    return new TrainingPlan(
        options, data.training().windowsPerEpoch(), !data.validation().isEmpty());
  }

  private CheckpointStore store() throws IOException {
    return store(folder);
  }

  private static CheckpointStore store(Path destination) throws IOException {
    RunIdentity run =
        new RunIdentity(
            JsonNodeFactory.instance.objectNode(), 1, "data", "model", "2026-11-25", Map.of());
    return new CheckpointScan(
            new Destination(destination, "pvc://models/fake"),
            message -> {
              throw new AssertionError(message);
            })
        .open(run, RunToken.of("here"), 2);
  }

  private static TrainingOptions options(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("training.epochs", 1);
    settings.put("training.learningRate", 0.1);
    settings.put("training.warmupRatio", 0.1);
    settings.put("training.batchSize", 1);
    settings.putAll(more);
    return RecipeFixture.of(settings).training();
  }

  private static TrainingOptions options(int epochs, Integer maxSteps, int saveSteps) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("training.epochs", epochs);
    if (maxSteps != null) {
      settings.put("training.maxSteps", maxSteps);
    }
    settings.put("training.learningRate", 0.1);
    settings.put("training.warmupRatio", 0.1);
    settings.put("training.weightDecay", 0.0);
    settings.put("training.batchSize", 1);
    settings.put("training.gradientAccumulationSteps", 2);
    settings.put("training.saveSteps", saveSteps);
    return RecipeFixture.of(settings).training();
  }

  /** Writes down what it hears. */
  private static final class Recorder implements RunListener {
    final List<StepReport> steps = new ArrayList<>();
    final List<StepReport> logged = new ArrayList<>();
    final List<EpochResult> epochs = new ArrayList<>();
    final List<EvaluationReport> evaluations = new ArrayList<>();
    final List<Double> evalLosses = new ArrayList<>();
    final List<String> events = new ArrayList<>();
    final List<Rollback> rollbacks = new ArrayList<>();

    @Override
    public void stepTaken(StepReport report) {
      steps.add(report);
    }

    @Override
    public void logged(StepReport report) {
      logged.add(report);
    }

    @Override
    public void evaluated(EvaluationReport report) {
      evaluations.add(report);
      evalLosses.add(report.loss());
      events.add("eval " + report.step());
    }

    @Override
    public void rolledBack(Rollback rollback) {
      rollbacks.add(rollback);
    }

    @Override
    public void leftOut(int step, double epoch) {
      events.add("left out " + step);
    }

    @Override
    public void stoppedEarly(int step, String why) {
      events.add("early " + step);
    }

    @Override
    public void epochEnded(EpochResult result) {
      epochs.add(result);
      events.add("epoch " + result.epoch());
    }

    @Override
    public void saved(Checkpoint checkpoint, Checkpoints all) {
      events.add("save " + checkpoint.step());
    }

    @Override
    public void warned(String message) {
      throw new AssertionError(message);
    }
  }
}
