package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.pod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.TrainerExit;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FailureClassifierTest {

  @ParameterizedTest
  @EnumSource(value = TrainerExit.class, mode = EnumSource.Mode.EXCLUDE, names = "DONE")
  void anExitCodeOfTheTrainerSaysWhyAndItsMessageWhatToDo(TrainerExit exit) {
    var failure = classify(endedPod(1, exit.code(), "Error", lastWords(exit, "do this", null)));

    assertThat(failure.reason()).isEqualTo(exit.reason());
    assertThat(failure.retryable()).isEqualTo(exit.retryable());
    assertThat(failure.exitCode()).isEqualTo(exit.code());
    assertThat(failure.message()).isEqualTo("do this");
  }

  @Test
  void exit75WithoutASignalOfOursIsAnInterruption() {
    assertThat(classify(endedPod(1, 75, "Error", "")).outcome())
        .isEqualTo(AttemptOutcome.Interrupted);
  }

  @ParameterizedTest
  @CsvSource({"137, OOMKilled", "137, Error", "1, OOMKilled"})
  void aKillAtTheMemoryLimitIsOutOfMemoryWhateverTheRuntimeCallsIt(int exitCode, String reason) {
    var failure = classify(endedPod(1, exitCode, reason, ""));

    assertThat(failure.reason()).isEqualTo(ConditionReason.OutOfMemory);
    assertThat(failure.retryable()).isFalse();
    assertThat(failure.message()).contains("spec.resources.memory");
  }

  @Test
  void aContainerThatCannotBeStartedSaysWhy() {
    var failure = classify(endedPod(1, 128, "StartError", "exec: \"python\": not found"));

    assertThat(failure.reason()).isEqualTo(ConditionReason.UnknownExit);
    assertThat(failure.message())
        .isEqualTo("the trainer's container could not be started: exec: \"python\": not found");
  }

  @Test
  void aKillWithoutAMemoryLimitIsNotOutOfMemory() {
    Pod pod = endedPod(1, 137, "Error", "");
    pod.getSpec().getContainers().get(0).getResources().getLimits().remove("memory");

    var failure = classify(pod);

    assertThat(failure.reason()).isEqualTo(ConditionReason.UnknownExit);
    assertThat(failure.message()).contains("signal 9");
    assertThat(failure.retryable()).isTrue();
  }

  @Test
  void aCrashSaysTheLastLineOfTheLog() {
    var failure = classify(endedPod(1, 139, "Error", "x".repeat(5000) + "\nSIGSEGV in libtorch"));

    assertThat(failure.reason()).isEqualTo(ConditionReason.UnknownExit);
    assertThat(failure.message())
        .isEqualTo("the trainer was ended by signal 11; its log ends: SIGSEGV in libtorch");
  }

  @ParameterizedTest
  @ValueSource(ints = {137, 143, 75, 70})
  void aDisruptionIsOneWhateverTheExitCodeThatItCaused(int exitCode) {
    Pod pod =
        endedPod(1, exitCode, "Error", "")
            .edit()
            .editStatus()
            .addNewCondition()
            .withType("DisruptionTarget")
            .withStatus("True")
            .withReason("PreemptionByScheduler")
            .withMessage("preempting to accommodate a higher priority pod")
            .endCondition()
            .endStatus()
            .build();

    var failure = classify(pod);

    assertThat(failure.outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(failure.reason()).isEqualTo(ConditionReason.Disrupted);
    assertThat(failure.message())
        .isEqualTo("PreemptionByScheduler: preempting to accommodate a higher priority pod");
  }

  /** Kubernetes marks each kind of them with the same condition. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "PreemptionByScheduler",
        "DeletionByTaintManager",
        "EvictionByEvictionAPI",
        "DeletionByPodGC",
        "TerminationByKubelet"
      })
  void everyKindOfDisruptionIsNotCounted(String reason) {
    Pod pod = endedPod(1, 143, "Error", "");
    pod.getStatus()
        .getConditions()
        .add(
            new PodConditionBuilder()
                .withType("DisruptionTarget")
                .withStatus("True")
                .withReason(reason)
                .withMessage("go")
                .build());

    assertThat(classify(pod).outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(classify(pod).message()).isEqualTo(reason + ": go");
  }

  @Test
  void aPodThatIsGoneWasDisrupted() {
    assertThat(Verdict.of(AttemptPods.NONE).failure().reason())
        .isEqualTo(ConditionReason.Disrupted);
  }

  @Test
  void aPodThatSomebodyDeletedWasDisrupted() {
    Pod pod = endedPod(1, 143, "Error", "");
    pod.getMetadata().setDeletionTimestamp("2026-01-01T00:08:00Z");

    assertThat(classify(pod).reason()).isEqualTo(ConditionReason.Disrupted);
  }

  @Test
  void aContainerThatItsNodeLostWasDisrupted() {
    assertThat(classify(endedPod(1, 137, "ContainerStatusUnknown", "")).reason())
        .isEqualTo(ConditionReason.Disrupted);
  }

  @ParameterizedTest
  @ValueSource(strings = {"OutOfcpu", "UnexpectedAdmissionError", "NodeAffinity"})
  void aPodThatItsNodeRefusedWasDisrupted(String reason) {
    assertThat(classify(withoutContainer(reason, "no room")).message())
        .isEqualTo(reason + ": no room");
    assertThat(classify(withoutContainer(reason, "no room")).outcome())
        .isEqualTo(AttemptOutcome.Interrupted);
  }

  @Test
  void anEvictionForItsOwnUseOfDiskCountsAsAFailure() {
    var failure =
        classify(withoutContainer("Evicted", "Usage of EmptyDir volume exceeds the limit"));

    assertThat(failure.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(failure.message()).isEqualTo("Evicted: Usage of EmptyDir volume exceeds the limit");
  }

  private static Pod withoutContainer(String reason, String message) {
    return pod(
        1,
        pod ->
            pod.editStatus()
                .withPhase("Failed")
                .withReason(reason)
                .withMessage(message)
                .endStatus());
  }

  private static Failure classify(Pod pod) {
    return Verdict.of(AttemptPods.of(pod)).failure();
  }
}
