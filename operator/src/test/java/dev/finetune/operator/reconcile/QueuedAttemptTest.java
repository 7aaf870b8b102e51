package dev.finetune.operator.reconcile;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.job;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.queuedJob;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.Scenes;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.Conditions;
import dev.finetune.operator.status.StatusCalculator;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An attempt whose Job a queue holds back, admits, and takes back. */
class QueuedAttemptTest {
  private final FineTuneJob job = Scenes.running();

  @Test
  void aSuspendedJobIsQueuedAndSaysWhere() {
    pass(NOW, queuedJob(1));

    assertThat(job.getStatus().phase()).isEqualTo(Phase.QUEUED);
    assertThat(job.getStatus().message()).contains("queue gpus");
    var scheduled = Conditions.find(job.getStatus(), ConditionType.Scheduled).orElseThrow();
    assertThat(scheduled.getStatus()).isEqualTo("False");
    assertThat(scheduled.getReason()).isEqualTo("Queued");
    assertThat(attempt().preemptions()).as("it has not run yet").isNull();
  }

  @Test
  void aQueuedJobIsLookedAtAgainOnlyForSafety() {
    assertThat(decide(NOW, queuedJob(1)).again(Duration.ofSeconds(10)))
        .contains(NextStep.SAFETY_INTERVAL);
  }

  @Test
  void preemptionKeepsTheAttemptAndCountsItsTimes() {
    pass(NOW, job(1, null), runningPod(1));
    pass(NOW.plusSeconds(100), queuedJob(1), deleted(runningPod(1), NOW.plusSeconds(160)));
    assertThat(job.getStatus().phase()).as("it still saves").isEqualTo(Phase.RUNNING);
    assertThat(Conditions.runningReason(job.getStatus())).contains(ConditionReason.Preempted);
    assertThat(attempt().preemptions()).isEqualTo(1);

    pass(NOW.plusSeconds(120), queuedJob(1));
    assertThat(job.getStatus().phase()).isEqualTo(Phase.QUEUED);
    assertThat(attempt().number()).isEqualTo(1);
    assertThat(attempt().endTime()).isNull();
    assertThat(attempt().preemptions()).isEqualTo(1);
    assertThat(attempt().gpuSeconds()).as("two GPUs for 120 seconds").isEqualTo(240);
    assertThat(job.getStatus().activeSeconds()).isEqualTo(120);

    // An hour in the queue, then ten seconds on a node.
    pass(NOW.plusSeconds(3720), job(1, null), runningPod(1));
    var end = AttemptEnd.failed(attempt(), AttemptPods.NONE, NOW.plusSeconds(3730));
    job.setStatus(calculator(NOW.plusSeconds(3730)).restarting(end, "again"));
    assertThat(attempt().gpuSeconds()).isEqualTo(260);
    assertThat(job.getStatus().activeSeconds()).isEqualTo(130);
    assertThat(attempt().preemptions()).isEqualTo(1);
  }

  @Test
  void aPreemptionThatWasMissedIsCountedAllTheSame() {
    pass(NOW, job(1, null), runningPod(1));
    pass(NOW.plusSeconds(100), queuedJob(1));

    assertThat(job.getStatus().phase()).isEqualTo(Phase.QUEUED);
    assertThat(attempt().preemptions()).isEqualTo(1);
  }

  @Test
  void theNewestPodOfTheAttemptIsTheOneThatCounts() {
    Pod old = created(endedPod(1, 75, "Error", ""), "2026-01-01T00:06:00Z");
    Pod next = created(runningPod(1), "2026-01-01T00:09:00Z");
    next.getMetadata().setName("tune-1-0-newer");

    assertThat(decide(NOW, job(1, null), next, old))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(
            keep -> assertThat(keep.stage().message()).startsWith("Pod tune-1-0-newer trains"));
  }

  @Test
  void suspendEndsAQueuedAttemptToo() {
    pass(NOW, queuedJob(1));
    Jobs.with(job, "suspend: true");

    assertThat(decide(NOW, queuedJob(1)))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(end -> assertThat(end.reason()).isEqualTo(ConditionReason.SuspendRequested));
  }

  @Test
  void aLostPodDoesNotEndAnAttemptThatWaitsInItsQueue() {
    pass(NOW, job(1, null), runningPod(1));

    assertThat(decide(NOW.plusSeconds(600), queuedJob(1), deleted(runningPod(1), NOW)))
        .isInstanceOf(NextStep.KeepRunning.class);
  }

  @Test
  void theLastWordsOfAPreemptedPodAreReadBeforeItIsGone() {
    pass(NOW, job(1, null), runningPod(1));
    var words = Scenes.lastWords(TrainerExit.TRY_AGAIN, "saved", progress(31, 31, null));
    pass(NOW.plusSeconds(9), queuedJob(1), deleted(endedPod(1, 75, "Error", words), NOW));

    assertThat(job.getStatus().checkpoints().latest().step()).isEqualTo(31);
  }

  private static Pod created(Pod pod, String time) {
    pod.getMetadata().setCreationTimestamp(time);
    return pod;
  }

  private void pass(Instant now, Job child, Pod... pods) {
    var keep = (NextStep.KeepRunning) decide(now, child, pods);
    job.setStatus(calculator(now).running(keep.stage(), keep.pods(), Progress.NONE));
  }

  private NextStep decide(Instant now, Job child, Pod... pods) {
    return NextStepDecider.decide(
        job, List.of(), new Observation(List.of(child), List.of(pods)), now);
  }

  private StatusCalculator calculator(Instant now) {
    return new StatusCalculator(job, List.of(), now);
  }

  private Attempt attempt() {
    return job.getStatus().attempts().get(0);
  }
}
