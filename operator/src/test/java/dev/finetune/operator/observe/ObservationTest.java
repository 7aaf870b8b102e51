package dev.finetune.operator.observe;

import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.jobOf;
import static dev.finetune.operator.Scenes.observed;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.operator.status.AttemptPods;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObservationTest {

  @Test
  void anAttemptHasTheNewestPodOfEachIndex() {
    Pod second = created("2026-01-01T00:05:00Z", at(1, runningPod(1)));
    Pod before = created("2026-01-01T00:04:00Z", at(1, endedPod(1, 75, "Error", "preempted")));
    Pod first = created("2026-01-01T00:05:00Z", at(0, runningPod(1)));

    AttemptPods pods = observed(List.of(jobOf(3, 1, null)), second, before, first).pods(1);

    assertThat(pods.pods()).containsExactly(first, second);
    assertThat(pods.first()).contains(first);
    assertThat(pods.incomplete()).as("the third is not there yet").isTrue();
  }

  @Test
  void theEndOfAnAttemptIsThatOfAllItsPods() {
    Pod first = at(0, endedPod(1, 74, "Error", ""));
    Pod second = at(1, endedPod(1, 70, "Error", ""));
    var job = List.of(jobOf(2, 1, "Failed"));

    assertThat(observed(job, first, second).podsEnded(1)).isTrue();
    assertThat(observed(job, first, at(1, runningPod(1))).podsEnded(1)).isFalse();
    assertThat(observed(job, second).podsEnded(1))
        .as("the API server is asked for the other")
        .isFalse();
  }

  @Test
  void whereTheJobIsGoneItsPodsTellHowManyThereWere() {
    assertThat(observed(List.of(), at(0, runningPod(1)), at(3, runningPod(1))).pods(1).expected())
        .isEqualTo(4);
  }

  private static Pod created(String time, Pod pod) {
    pod.getMetadata().setCreationTimestamp(time);
    return pod;
  }
}
