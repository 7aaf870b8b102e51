package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.attempt;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.progress;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.Scenes;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttemptEndTest {
  private final Attempt running = attempt(1, AttemptOutcome.Running, null, null);

  @Test
  void theTrainersOwnLogIsKeptBesideItsSentence() {
    var words =
        Serialization.asJson(
            new TerminationMessage(
                TrainerExit.DATA, "row 3 is no JSON", "line 1\nline 2\n", Progress.NONE));

    Attempt ended =
        AttemptEnd.failed(running, AttemptPods.of(endedPod(1, 65, "Error", words)), NOW).attempt();

    assertThat(ended.message()).isEqualTo("row 3 is no JSON");
    assertThat(ended.log()).isEqualTo("line 1\nline 2");
    assertThat(ended.reason()).isEqualTo(ConditionReason.DataError);
  }

  @Test
  void ofATrainerThatWasKilledTheEndOfItsOutputIsKept() {
    String output = "epoch 1\n" + "x".repeat(2000) + "\n# SIGSEGV in libtorch";

    Attempt ended =
        AttemptEnd.failed(running, AttemptPods.of(endedPod(1, 139, "Error", output)), NOW)
            .attempt();

    assertThat(ended.log()).startsWith("…xxx").endsWith("\n# SIGSEGV in libtorch");
    assertThat(ended.log().length()).isLessThanOrEqualTo(1501);
    assertThat(ended.message())
        .isEqualTo("the trainer was ended by signal 11; its log ends: # SIGSEGV in libtorch");
  }

  @Test
  void aSuccessNeedsNoLog() {
    var words =
        Serialization.asJson(
            new TerminationMessage(TrainerExit.DONE, "done", "saved", Progress.NONE));

    assertThat(
            AttemptEnd.succeeded(running, AttemptPods.of(endedPod(1, 0, "Completed", words)), NOW)
                .attempt()
                .log())
        .isNull();
  }

  @Test
  void whatADeletedPodSaidIsKnownAlsoAfterItIsGone() {
    FineTuneJob job = Scenes.running();
    var words =
        Serialization.asJson(
            new TerminationMessage(
                TrainerExit.TRY_AGAIN, "saved", "checkpoint written", progress(31, 31, null)));
    var pod = deleted(endedPod(1, 75, "Error", words), NOW);
    job.setStatus(
        new StatusCalculator(job, List.of(), NOW)
            .ending(ConditionReason.Stalled, "no progress", AttemptPods.of(pod), Progress.NONE));

    AttemptEnd end =
        AttemptEnd.byOperator(
            job.getStatus().attempts().get(0),
            ConditionReason.Stalled,
            "no progress",
            AttemptPods.NONE,
            NOW.plusSeconds(60));

    assertThat(end.attempt().exitCode()).isEqualTo(75);
    assertThat(end.attempt().log()).isEqualTo("checkpoint written");
    assertThat(end.attempt().endTime()).isEqualTo("2026-01-01T00:09:00Z");
    assertThat(job.getStatus().checkpoints().latest().step()).isEqualTo(31);
  }
}
