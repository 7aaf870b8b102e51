package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.RankProgress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PrometheusTextTest {
  private static final Pattern DOCUMENTED = Pattern.compile("`(finetune_training_[a-z_]+)`");

  private static final Progress PROGRESS =
      new Progress(
          new TrainingProgress(
              1.5, 2, "1.5/2", 30, 40, 1.25, 1.5, 1e-4, 0.5, 900.0, 75, 60L, null, 0.5, 4.482, 0.4),
          List.of(),
          new Checkpoints(
              new Checkpoint(20, 1.0, "/out/checkpoint-20", 4096L, "0a1b", 1.5), null, null),
          null,
          new ParameterCounts(1000L, 100_000L),
          null);

  @Test
  void eachRankHasItsSpeed() {
    var speeds =
        new RankSpeeds(new double[] {2, 3}, new double[] {1200.04, 800}, List.of("pod-0", "pod-1"));

    assertThat(PrometheusText.of(PROGRESS, Optional.of(speeds)))
        .contains(
            """
            finetune_training_rank_tokens_per_second{rank="0"} 1200.0
            finetune_training_rank_tokens_per_second{rank="1"} 800.0
            """);
    assertThat(speeds.progress()).isEqualTo(new RankProgress(2, 1200.0, 1, "pod-1", 800.0));
  }

  @Test
  void servesWhatTheDocumentationLists() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "operations.md"));
    List<String> documented =
        DOCUMENTED.matcher(page).results().map(match -> match.group(1)).distinct().toList();

    assertThat(
            PrometheusText.of(PROGRESS, Optional.empty())
                .lines()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.split(" ", -1)[2]))
        .containsExactlyElementsOf(documented);
  }

  @Test
  void leavesOutWhatIsNotKnownYet() {
    assertThat(PrometheusText.of(Progress.NONE, Optional.empty())).isEmpty();
    assertThat(PrometheusText.of(PROGRESS, Optional.empty()))
        .contains("finetune_training_loss_nats 1.25\n", "finetune_training_steps 30\n");
  }
}
