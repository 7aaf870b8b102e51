package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.attempt;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedAt;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.pod;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which of several pods tells why the attempt ended. */
class VerdictTest {
  private final Attempt running = attempt(1, AttemptOutcome.Running, null, null);

  @Test
  void thePodThatFailedByItselfTellsAndNotThoseThatLostIt() {
    Attempt ended =
        ended(
            at(0, lost("2026-01-01T00:08:01Z")),
            at(1, lost("2026-01-01T00:08:00Z")),
            at(2, endedAt("2026-01-01T00:08:02Z", failed(TrainerExit.DATA, "row 3 is no JSON"))));

    assertThat(ended.reason()).isEqualTo(ConditionReason.DataError);
    assertThat(ended.exitCode()).isEqualTo(65);
    assertThat(ended.message()).isEqualTo("row 3 is no JSON");
    assertThat(ended.log()).isEqualTo("the log of it");
    assertThat(ended.node()).isEqualTo("node-3");
    assertThat(ended.endTime()).as("that of the last").isEqualTo("2026-01-01T00:08:02Z");
  }

  @ParameterizedTest
  @CsvSource({"137, OOMKilled", "139, Error", "71, Error", "1, Error"})
  void aPodThatDiedWithoutAWordTells(int exitCode, String reason) {
    Attempt ended =
        ended(at(0, lost("2026-01-01T00:08:00Z")), at(1, endedPod(1, exitCode, reason, "")));

    assertThat(ended.exitCode()).isEqualTo(exitCode);
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void ofTwoThatFailedTheFirstTells() {
    Attempt ended =
        ended(
            at(0, endedAt("2026-01-01T00:08:05Z", failed(TrainerExit.INTERNAL, "late"))),
            at(1, endedAt("2026-01-01T00:08:04Z", failed(TrainerExit.INTERNAL, "early"))));

    assertThat(ended.message()).isEqualTo("early");
  }

  @Test
  void aDisruptedPodTellsBeforeThoseThatLostIt() {
    Attempt ended = ended(at(0, lost("2026-01-01T00:08:00Z")), at(1, evicted()));

    assertThat(ended.outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(ended.reason()).isEqualTo(ConditionReason.Disrupted);
    assertThat(ended.message()).isEqualTo("EvictionByEvictionAPI: drained");
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void aLostRankIsAFailureThatIsTriedAgain() {
    AttemptEnd end =
        end(at(0, lost("2026-01-01T00:08:00Z")), at(1, endedPod(1, 75, "Error", "saved")));

    assertThat(end.attempt().outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(end.attempt().reason()).isEqualTo(ConditionReason.RankLost);
    assertThat(end.retryable()).isTrue();
  }

  /** As the Job controller does once a pod has failed. */
  @ParameterizedTest
  @ValueSource(ints = {75, 143, 137, 0})
  void aPodThatIsDeletedAfterAnotherFailedIsNoDisruption(int exitCode) {
    Attempt ended =
        ended(
            at(0, requested("2026-01-01T00:08:10Z", endedPod(1, exitCode, "Error", ""))),
            at(1, endedAt("2026-01-01T00:08:10Z", failed(TrainerExit.RANK_LOST, "rank 3"))));

    assertThat(ended.reason()).isEqualTo(ConditionReason.RankLost);
    assertThat(ended.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void aPodThatSomebodyDeletedBeforeTheOthersLostItIsADisruption() {
    Attempt ended =
        ended(
            at(0, endedAt("2026-01-01T00:08:10Z", failed(TrainerExit.RANK_LOST, "rank 3"))),
            at(1, requested("2026-01-01T00:08:05Z", endedPod(1, 75, "Error", "saved"))));

    assertThat(ended.reason()).isEqualTo(ConditionReason.Disrupted);
    assertThat(ended.message()).isEqualTo("the pod was deleted");
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void aPodThatNeverEndsIsLostWithItsNodeWhoeverDeletedIt() {
    Attempt ended =
        ended(
            at(0, endedAt("2026-01-01T00:08:00Z", failed(TrainerExit.RANK_LOST, "rank 1"))),
            at(1, requested("2026-01-01T00:08:01Z", runningPod(1))));

    assertThat(ended.reason()).isEqualTo(ConditionReason.Disrupted);
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void aNodeThatRefusedAPodTellsAndNotThePodsThatEndedWithIt() {
    Pod refused =
        pod(
            1,
            each ->
                each.editStatus()
                    .withPhase("Failed")
                    .withReason("OutOfcpu")
                    .withMessage("no room")
                    .endStatus());

    Attempt ended =
        ended(
            at(0, requested("2026-01-01T00:08:01Z", endedPod(1, 143, "Error", ""))),
            at(1, refused));

    assertThat(ended.message()).isEqualTo("OutOfcpu: no room");
  }

  @Test
  void aFailureIsOneAlsoWhereAnotherPodsNodeWasLostMeanwhile() {
    AttemptEnd end =
        AttemptEnd.byOperator(
            running,
            ConditionReason.Disrupted,
            "Node node-1 doesn't answer",
            AttemptPods.of(
                at(0, requested("2026-01-01T00:08:01Z", runningPod(1))),
                at(1, failed(TrainerExit.MODEL, "no such folder"))),
            NOW);

    assertThat(end.attempt().reason()).isEqualTo(ConditionReason.ModelError);
    assertThat(end.retryable()).isFalse();
  }

  @Test
  void theTrainerNamesTheRank() {
    var words =
        Serialization.asJson(
            new TerminationMessage(TrainerExit.RANK_LOST, "rank 3 died", null, 3, null));

    Attempt ended = ended(endedPod(1, 74, "Error", words));

    assertThat(ended.rank()).isEqualTo(3);
  }

  @Test
  void theNodeOfARankThatHungIsThatOfItsOwnPod() {
    var words =
        Serialization.asJson(
            new TerminationMessage(TrainerExit.RANK_LOST, "Rank 1 of 2 is lost", null, 1, null));

    Attempt ended =
        ended(
            at(0, oneRank(endedPod(1, 74, "Error", words))),
            at(1, oneRank(endedPod(1, 143, "Error", ""))));

    assertThat(ended.rank()).isEqualTo(1);
    assertThat(ended.node()).isEqualTo("node-2");
  }

  @Test
  void aPodWithOneRankIsThatRank() {
    Pod died = at(1, oneRank(endedPod(1, 139, "Error", "")));

    assertThat(ended(at(0, lost("2026-01-01T00:08:00Z")), died).rank()).isEqualTo(1);
    assertThat(ended(at(0, lost("2026-01-01T00:08:00Z")), at(1, endedPod(1, 139, "Error", ""))))
        .as("one of two ranks")
        .extracting(Attempt::rank)
        .isNull();
  }

  @Test
  void theProgressIsRankZeros() {
    Pod first =
        endedPod(1, 74, "Error", lastWords(TrainerExit.RANK_LOST, "lost", progress(30, 20, null)));
    Pod other =
        endedPod(1, 70, "Error", lastWords(TrainerExit.INTERNAL, "bug", progress(29, 20, null)));

    assertThat(end(at(0, first), at(1, other)).progress().training().step()).isEqualTo(30);
    assertThat(end(at(1, other)).progress()).isEqualTo(Progress.NONE);
  }

  @Test
  void theAdapterIsWrittenOnceRankZeroSaysSoAndNoOtherRuns() {
    Pod done = at(0, endedPod(1, 0, "Completed", ""));

    assertThat(AttemptEnd.done(running, AttemptPods.of(done, at(1, runningPod(1))))).isFalse();
    assertThat(AttemptEnd.done(running, AttemptPods.of(done, at(1, endedPod(1, 74, "Error", "")))))
        .as("it lost rank 0, which had finished")
        .isTrue();
    assertThat(
            AttemptEnd.done(
                running,
                AttemptPods.of(at(0, runningPod(1)), at(1, endedPod(1, 0, "Completed", "")))))
        .isFalse();
    assertThat(AttemptEnd.done(running, new AttemptPods(List.of(done), 2))).isTrue();
  }

  private Attempt ended(Pod... pods) {
    return end(pods).attempt();
  }

  private AttemptEnd end(Pod... pods) {
    return AttemptEnd.failed(running, AttemptPods.of(pods), NOW);
  }

  private static Pod failed(TrainerExit exit, String message) {
    return endedPod(
        1,
        exit.code(),
        "Error",
        Serialization.asJson(new TerminationMessage(exit, message, "the log of it", null)));
  }

  private static Pod lost(String time) {
    return endedAt(time, failed(TrainerExit.RANK_LOST, "rank 2 is lost"));
  }

  private static Pod oneRank(Pod pod) {
    pod.getSpec().getContainers().get(0).getEnv().stream()
        .filter(variable -> variable.getName().equals("NPROC_PER_NODE"))
        .forEach(variable -> variable.setValue("1"));
    return pod;
  }

  /** A pod whose deletion was asked for at {@code time}, with a minute of grace. */
  private static Pod requested(String time, Pod pod) {
    pod.getMetadata().setDeletionGracePeriodSeconds(60L);
    return deleted(pod, Instant.parse(time).plusSeconds(60));
  }

  private static Pod evicted() {
    return endedPod(1, 75, "Error", "")
        .edit()
        .editStatus()
        .addNewCondition()
        .withType("DisruptionTarget")
        .withStatus("True")
        .withReason("EvictionByEvictionAPI")
        .withMessage("drained")
        .endCondition()
        .endStatus()
        .build();
  }
}
