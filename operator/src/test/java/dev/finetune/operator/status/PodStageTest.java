package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.pod;
import static dev.finetune.operator.Scenes.runningPod;
import static dev.finetune.operator.Scenes.unschedulablePod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PodStageTest {

  @Test
  void aJobWithoutAPodIsCreatedOnly() {
    var stage = PodStage.of("tune-1", Optional.empty(), Optional.empty());

    assertThat(stage.reason()).isEqualTo(ConditionReason.JobCreated);
    assertThat(stage.message()).contains("tune-1");
  }

  @Test
  void aJobThatIsRefusedItsPodHasTheApiServersWords() {
    var words = Optional.of("Error creating: exceeded quota: gpus, requested: 2, used: 8");

    var stage = PodStage.of("tune-1", Optional.empty(), words);

    assertThat(stage.reason()).isEqualTo(ConditionReason.ChildRefused);
    assertThat(stage.message()).startsWith("Job tune-1 gets no pod").contains("exceeded quota");
  }

  @Test
  void anUnschedulablePodHasTheSchedulersWords() {
    Pod pod = unschedulablePod(1, "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.");

    var stage = PodStage.of("tune-1", Optional.of(pod), Optional.empty());

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

    var stage = PodStage.of("tune-1", Optional.of(pod), Optional.empty());

    assertThat(stage.scheduled()).isTrue();
    assertThat(stage.running()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.PodStarting);
    assertThat(stage.message()).endsWith("ImagePullBackOff, Back-off pulling image \"x\"");
  }

  @Test
  void aRunningTrainerTrains() {
    var stage = PodStage.of("tune-1", Optional.of(runningPod(1)), Optional.empty());

    assertThat(stage.running()).isTrue();
    assertThat(stage.message()).isEqualTo("Pod tune-1-0-abcde trains on node node-1");
  }

  @Test
  void aContainerThatCannotBeStartedDoesNotTrain() {
    Pod pod = endedPod(1, 128, "StartError", "exec: \"python\": executable file not found");

    var stage = PodStage.of("tune-1", Optional.of(pod), Optional.empty());

    assertThat(stage.running()).isFalse();
    assertThat(stage.reason()).isEqualTo(ConditionReason.PodStarting);
    assertThat(stage.message())
        .endsWith(
            " starts on node node-1: StartError, exec: \"python\": executable file not found");
  }
}
