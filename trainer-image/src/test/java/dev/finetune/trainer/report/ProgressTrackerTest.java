package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.Progress;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTrackerTest {
  private static final Checkpoints NO_CHECKPOINTS = new Checkpoints(null, null, null);

  private final AtomicLong nanos = new AtomicLong(5_000_000_000L);
  private final ProgressTracker tracker = new ProgressTracker(nanos::get);

  @Test
  void theNewestWarningsAreKept() {
    assertThat(tracker.progress().warnings()).isNull();

    for (int i = 1; i <= 7; i++) {
      tracker.warned("disk full " + i);
    }

    assertThat(tracker.progress().warnings())
        .containsExactly("disk full 3", "disk full 4", "disk full 5", "disk full 6", "disk full 7");
  }

  @Test
  void nothingIsKnownBeforeAnythingIs() {
    assertThat(tracker.progress()).isEqualTo(Progress.NONE);
  }

  @Test
  void numbersAreRoundedForReading() {
    tracker.started(fresh());
    nanos.addAndGet(2_000_000_000L);
    tracker.stepTaken(new StepReport(1, 1 / 3.0, 2.06251234, 0.25, 0.123456, 6.66666e-5, 1000));
    tracker.logged(new StepReport(1, 1 / 3.0, 2.06251234, 0.25, 0.123456, 6.66666e-5, 1000));
    tracker.evaluated(new EvaluationReport(1, 1 / 3.0, 1.99996, 0.75));

    var training = tracker.progress().training();
    assertThat(training.epoch()).isEqualTo(0.33);
    assertThat(training.epochText()).isEqualTo("0.3/2");
    assertThat(training.loss()).isEqualTo(2.0625);
    assertThat(training.evalLoss()).isEqualTo(2.0);
    assertThat(training.tokenAccuracy()).isEqualTo(0.25);
    assertThat(training.evalPerplexity()).isEqualTo(7.389);
    assertThat(training.evalTokenAccuracy()).isEqualTo(0.75);
    assertThat(training.gradientNorm()).isEqualTo(0.1235);
    assertThat(training.learningRate()).isEqualTo(6.67e-5);
    assertThat(training.tokensPerSecond()).isEqualTo(500.0);
    assertThat(training.progressPercentage()).isEqualTo(16);
    assertThat(training.remainingSeconds()).isEqualTo(10);
  }

  @Test
  void aRunThatEndsEarlyIsDoneWithNothingLeft() {
    tracker.started(fresh());
    nanos.addAndGet(2_000_000_000L);
    tracker.stepTaken(new StepReport(3, 1.0, 1, 0.25, 1, 1e-4, 100));
    tracker.stoppedEarly(3, "no better");

    var training = tracker.progress().training();
    assertThat(training.totalSteps()).isEqualTo(3);
    assertThat(training.progressPercentage()).isEqualTo(100);
    assertThat(training.remainingSeconds()).isZero();
  }

  @Test
  void aRollbackShowsWhereTrainingStandsNowAndWarns() {
    tracker.started(fresh());
    tracker.stepTaken(new StepReport(4, 4 / 3.0, 1, 0.25, 1, 1e-4, 100));
    tracker.epochEnded(new EpochResult(1, 3, 1.0, null, null));
    tracker.rolledBack(new Rollback(2, 2 / 3.0, false, 5, "the loss became NaN in step 5"));

    assertThat(tracker.progress().training().step()).isEqualTo(2);
    assertThat(tracker.progress().epochs()).isEmpty();
    assertThat(tracker.progress().warnings()).singleElement().asString().contains("step 5", "NaN");
  }

  @Test
  void anEpochIsNeverShownAsDoneBeforeItIs() {
    assertThat(Rounding.epochText(0.9999, 5)).isEqualTo("0.9/5");
    assertThat(Rounding.epochText(2.4, 5)).isEqualTo("2.4/5");
    assertThat(Rounding.epochText(3, 5)).isEqualTo("3/5");
    assertThat(Rounding.epochText(10, 10)).isEqualTo("10/10");
    assertThat(Rounding.epochText(0, 5)).isEqualTo("0/5");
  }

  @Test
  void aResumedAttemptKeepsTheEpochsBeforeItAndMeasuresItsOwnSpeed() {
    EpochResult first = new EpochResult(1, 3, 2.0, 1.9, "2026-11-25T10:00:00Z");
    Checkpoint resumedFrom = new Checkpoint(3, 1.0, "pvc://m/checkpoint-3", 10L, "ab", 1.9);
    tracker.started(
        new RunStart(
            3,
            1,
            6,
            2,
            2.1,
            0.5,
            1.9,
            0.6,
            List.of(first),
            new Checkpoints(resumedFrom, null, resumedFrom)));

    assertThat(tracker.progress().training().step()).isEqualTo(3);
    assertThat(tracker.progress().training().loss()).isEqualTo(2.1);

    nanos.addAndGet(1_000_000_000L);
    tracker.stepTaken(new StepReport(4, 4 / 3.0, 1, 0.25, 1, 1e-4, 100));
    tracker.epochEnded(new EpochResult(2, 6, 1.23456, null, "2026-11-25T10:01:00Z"));

    Progress progress = tracker.progress();
    assertThat(progress.training().tokensPerSecond()).isEqualTo(100.0);
    assertThat(progress.training().remainingSeconds()).isEqualTo(2);
    assertThat(progress.epochs())
        .containsExactly(first, new EpochResult(2, 6, 1.2346, null, "2026-11-25T10:01:00Z"));
    assertThat(progress.checkpoints().resumedFrom()).isEqualTo(resumedFrom);
  }

  static RunStart fresh() {
    return new RunStart(0, 0, 6, 2, null, null, null, null, List.of(), NO_CHECKPOINTS);
  }
}
