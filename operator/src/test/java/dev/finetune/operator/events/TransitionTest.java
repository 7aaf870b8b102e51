package dev.finetune.operator.events;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.applied;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.status.StatusCalculator;
import dev.finetune.operator.validate.Violation;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class TransitionTest {
  private final FineTuneJob job = applied();

  @Test
  void eachStageOfALifeIsToldOnce() {
    assertThat(next(status -> status.started(1, "tune-1")))
        .as("the Job has Events of its own")
        .isEmpty();
    assertThat(next(this::running)).as("the pod has Events of its own").isEmpty();
    assertThat(
            next(
                status ->
                    status.running(stage(), AttemptPods.of(runningPod(1)), progress(10, 10, null))))
        .as("progress is no transition")
        .isEmpty();
    var end = AttemptEnd.succeeded(job.getStatus().attempts().get(0), AttemptPods.NONE, NOW);
    assertThat(next(status -> status.succeeded(end)))
        .containsExactly(
            new Transition("Normal", ConditionReason.Completed, "The adapter is written"));
  }

  @Test
  void aFailureIsAWarningWithItsReason() {
    next(status -> status.started(1, "tune-1"));
    var end =
        AttemptEnd.failed(
            job.getStatus().attempts().get(0),
            AttemptPods.of(endedPod(1, 65, "Error", "row 3")),
            NOW);

    assertThat(
            next(
                status ->
                    status.failed(Optional.of(end), ConditionReason.DataError, "row 3 is broken")))
        .containsExactly(new Transition("Warning", ConditionReason.DataError, "row 3 is broken"));
  }

  @Test
  void aRefusedChildIsToldOnceHoweverOftenItIsTried() {
    assertThat(next(status -> status.childRefused("exceeded quota")))
        .containsExactly(new Transition("Warning", ConditionReason.ChildRefused, "exceeded quota"));
    assertThat(next(status -> status.childRefused("exceeded quota"))).isEmpty();
  }

  @Test
  void anInvalidSpecIsToldAgainWhenItIsInvalidOtherwise() {
    assertThat(reject("is odd")).extracting(Transition::message).containsExactly("spec: is odd");
    assertThat(reject("is odd")).isEmpty();
    assertThat(reject("is even")).extracting(Transition::message).containsExactly("spec: is even");
  }

  @Test
  void anEventNamesTheJobAndFitsTheLimitOfItsNote() {
    var transition = new Transition("Warning", ConditionReason.DataError, "x".repeat(2000));

    Event event = TransitionEvents.event(job, transition, NOW);

    assertThat(event.getRegarding().getUid()).isEqualTo(job.getMetadata().getUid());
    assertThat(event.getRegarding().getKind()).isEqualTo("FineTuneJob");
    assertThat(event.getNote()).hasSize(1024);
    assertThat(event.getReason()).isEqualTo("DataError");
    assertThat(event.getEventTime().getTime()).isEqualTo("2026-01-01T00:10:00.000000Z");
    assertThat(event.getMetadata().getNamespace()).isEqualTo("default");
  }

  @Test
  void eventsAreOrderedByTheirNames() {
    var transition = new Transition("Normal", ConditionReason.JobCreated, "starts");

    String first = TransitionEvents.event(job, transition, NOW).getMetadata().getName();
    String second =
        TransitionEvents.event(job, transition, NOW.plusNanos(1)).getMetadata().getName();

    assertThat(first).isLessThan(second).startsWith(job.getMetadata().getName() + ".");
  }

  private List<Transition> reject(String message) {
    var violations = List.of(new Violation("spec", message));
    return to(new StatusCalculator(job, violations, NOW).rejected());
  }

  private FineTuneJobStatus running(StatusCalculator status) {
    return status.running(stage(), AttemptPods.of(runningPod(1)), Progress.NONE);
  }

  private static PodStage stage() {
    return PodStage.of("tune-1", AttemptPods.of(runningPod(1)), Optional.empty());
  }

  private List<Transition> next(Function<StatusCalculator, FineTuneJobStatus> step) {
    return to(step.apply(new StatusCalculator(job, List.of(), NOW)));
  }

  private List<Transition> to(FineTuneJobStatus next) {
    var transitions = Transition.between(job.getStatus(), next);
    job.setStatus(next);
    return transitions;
  }
}
