package dev.finetune.operator.reconcile;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.job;
import static dev.finetune.operator.Scenes.observed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.Scenes;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.StatusCalculator;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A job that succeeded at 00:10. */
class RetentionTest {
  private final FineTuneJob job = succeeded();
  private final Observation children = observed(List.of(job(1, "Failed"), job(2, "Complete")));

  @Test
  void withoutATimeToLiveTheChildrenStay() {
    assertThat(decide(children, NOW.plusSeconds(1_000_000)))
        .isEqualTo(new NextStep.Rest(Optional.empty()));
  }

  @Test
  void theChildrenAreRemovedWhenTheirTimeIsUpAndNotBefore() {
    Jobs.with(job, "ttlSecondsAfterFinished: 60");

    assertThat(decide(children, NOW.plusSeconds(59)))
        .isEqualTo(new NextStep.Rest(Optional.of(Duration.ofSeconds(1))));
    assertThat(decide(children, NOW.plusSeconds(60)))
        .isEqualTo(new NextStep.RemoveChildren(List.of("tune-1", "tune-2")));
  }

  @Test
  void theTimeToLiveIsLookedAtAfterAnEndThoughNoEventMayCome() {
    var end = AttemptEnd.succeeded(job.getStatus().attempts().get(0), AttemptPods.NONE, NOW);
    Duration interval = Duration.ofSeconds(10);

    assertThat(new NextStep.Complete(end).again(interval)).contains(interval);
    assertThat(new NextStep.Fail(Optional.of(end), ConditionReason.DataError, "").again(interval))
        .contains(interval);
  }

  @Test
  void whereNoneIsLeftNothingIsDoneAgain() {
    Jobs.with(job, "ttlSecondsAfterFinished: 0");

    assertThat(decide(Observation.NOTHING, NOW.plusSeconds(60)))
        .isEqualTo(new NextStep.Rest(Optional.empty()));
  }

  @Test
  void suspendDoesNotKeepTheChildrenOfAJobThatIsDone() {
    Jobs.with(job, "ttlSecondsAfterFinished: 0\nsuspend: true");

    assertThat(decide(children, NOW)).isInstanceOf(NextStep.RemoveChildren.class);
  }

  private NextStep decide(Observation observation, Instant now) {
    return NextStepDecider.decide(job, List.of(), observation, now);
  }

  private static FineTuneJob succeeded() {
    FineTuneJob job = Scenes.running();
    var end = AttemptEnd.succeeded(job.getStatus().attempts().get(0), AttemptPods.NONE, NOW);
    job.setStatus(new StatusCalculator(job, List.of(), NOW).succeeded(end));
    return job;
  }
}
