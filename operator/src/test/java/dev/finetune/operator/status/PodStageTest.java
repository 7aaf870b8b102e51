package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.pod;
import static dev.finetune.operator.Scenes.runningPod;
import static dev.finetune.operator.Scenes.unschedulablePod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.operator.Scenes;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PodStageTest {

  @Test
  void aJobWithoutAPodIsCreatedOnly() {
    var stage = PodStage.of("tune-1", AttemptPods.NONE, Optional.empty());

    assertThat(stage.reason()).isEqualTo(ConditionReason.JobCreated);
    assertThat(stage.message()).contains("tune-1");
  }

  @Test
  void aJobThatIsRefusedItsPodHasTheApiServersWords() {
    var words = Optional.of("Error creating: exceeded quota: gpus, requested: 2, used: 8");

    var stage = PodStage.of("tune-1", AttemptPods.NONE, words);

    assertThat(stage.reason()).isEqualTo(ConditionReason.ChildRefused);
    assertThat(stage.message()).startsWith("Job tune-1 gets no pod").contains("exceeded quota");
  }

  @Test
  void anUnschedulablePodHasTheSchedulersWords() {
    Pod pod = unschedulablePod(1, "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.");

    var stage = PodStage.of("tune-1", AttemptPods.of(pod), Optional.empty());

    assertThat(stage.scheduled()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.Unschedulable);
    assertThat(stage.message()).endsWith("3 Insufficient nvidia.com/gpu.");
  }

  @Test
  void aContainerThatWaitsSaysForWhat() {
    Pod pod =
        pod(
            1,
            each ->
                each.editStatus()
                    .withPhase("Pending")
                    .addNewContainerStatus()
                    .withName("trainer")
                    .withNewState()
                    .withNewWaiting()
                    .withReason("ImagePullBackOff")
                    .withMessage("Back-off pulling image \"x\"")
                    .endWaiting()
                    .endState()
                    .endContainerStatus()
                    .endStatus());

    var stage = PodStage.of("tune-1", AttemptPods.of(pod), Optional.empty());

    assertThat(stage.scheduled()).isTrue();
    assertThat(stage.running()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.PodStarting);
    assertThat(stage.message()).endsWith("ImagePullBackOff, Back-off pulling image \"x\"");
  }

  @Test
  void aRunningTrainerTrains() {
    var stage = PodStage.of("tune-1", AttemptPods.of(runningPod(1)), Optional.empty());

    assertThat(stage.running()).isTrue();
    assertThat(stage.message()).isEqualTo("Pod tune-1-0-abcde trains on node node-1");
  }

  @Test
  void severalPodsTrainOnlyTogether() {
    var stage =
        PodStage.of(
            "tune-1", AttemptPods.of(at(0, runningPod(1)), at(1, runningPod(1))), Optional.empty());

    assertThat(stage.running()).isTrue();
    assertThat(stage.message())
        .isEqualTo("2 pods train, the first of them tune-1-0-abcde on node node-1");
  }

  @Test
  void thePodThatHasComeLeastFarTells() {
    var pods =
        AttemptPods.of(
            at(0, runningPod(1)),
            at(1, pod(1, each -> each)),
            at(2, unschedulablePod(1, "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")),
            at(3, runningPod(1)));

    var stage = PodStage.of("tune-1", pods, Optional.empty());

    assertThat(stage.scheduled()).isFalse();
    assertThat(stage.running()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.Unschedulable);
    assertThat(stage.message())
        .isEqualTo(
            "Pod 3 of 4: tune-1-2-abcde has no node: 0/3 nodes are available: 3 Insufficient"
                + " nvidia.com/gpu.");
  }

  @Test
  void podsThatHaveYetToComeAreMissed() {
    var some = new AttemptPods(List.of(at(0, runningPod(1))), 4);

    assertThat(PodStage.of("tune-1", some, Optional.empty()).message())
        .isEqualTo("Job tune-1 is created, 1 of its 4 pods are there");
    assertThat(PodStage.of("tune-1", some, Optional.of("exceeded quota")).reason())
        .isEqualTo(ConditionReason.ChildRefused);
  }

  @Test
  void aPodThatIsGoneAfterAnotherEndedIsNotMissed() {
    var left = new AttemptPods(List.of(at(1, endedPod(1, 70, "Error", "bug"))), 2);

    var stage = PodStage.of("tune-1", left, Optional.empty());

    assertThat(stage.scheduled()).as("what it held is counted at its end, and only once").isTrue();
    assertThat(stage.running()).isTrue();
  }

  @Test
  void onePodThatIsDeletedIsNamed() {
    var pods =
        AttemptPods.of(
            at(0, runningPod(1)), at(1, deleted(runningPod(1), Scenes.NOW.plusSeconds(60))));

    assertThat(PodStage.of("tune-1", pods, Optional.empty()).message())
        .isEqualTo(
            "Pod 2 of 2: tune-1-1-abcde is being deleted and saves a checkpoint on node node-2");
  }

  @Test
  void aContainerThatCannotBeStartedDoesNotTrain() {
    Pod pod = endedPod(1, 128, "StartError", "exec: \"python\": executable file not found");

    var stage = PodStage.of("tune-1", AttemptPods.of(pod), Optional.empty());

    assertThat(stage.running()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.PodStarting);
    assertThat(stage.message())
        .endsWith(
            " starts on node node-1: StartError, exec: \"python\": executable file not found");
  }
}
