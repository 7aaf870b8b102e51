package dev.finetune.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TrainingProgress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class StoryConsoleTest {
  private final StringWriter written = new StringWriter();

  @Test
  void theBarShowsEpochLossSpeedAndTimeLeft() {
    assertThat(StoryConsole.describe(training(50)))
        .isEqualTo(
            "[############............]  50%  epoch 2.5/5  loss 1.235  12,345 tokens/s  01:05 left");
  }

  @Test
  void aLogGetsALineForEveryTenthOfTheWayAndNoControlCharacters() {
    StoryConsole console = console(false);

    console.progress("tune", training(9));
    console.progress("tune", training(31));
    console.progress("tune", training(35));
    console.progress("tune", training(40));

    assertThat(written.toString().lines()).hasSize(2).noneMatch(line -> line.contains("\u001b"));
  }

  @Test
  void aTerminalsBarIsDrawnAgainBelowEachLine() {
    StoryConsole console = console(true);

    console.progress("tune", training(50));
    console.line("epoch 2");

    assertThat(written.toString()).endsWith("tune " + StoryConsole.describe(training(50)));
    assertThat(written.toString().lines()).anyMatch(line -> line.endsWith("epoch 2"));
  }

  @Test
  void aStoryTellsEachEpochAndMessageOnce() {
    StatusStory story = new StatusStory("tune", console(false));
    EpochResult first = new EpochResult(1, 27, 2.5, 2.25, null);
    EpochResult second = new EpochResult(2, 54, 1.5, 1.25, null);

    story.look(job(List.of(first)));
    story.look(job(List.of(first)));
    story.look(job(List.of(first, second)));

    assertThat(written.toString().lines().map(line -> line.substring(7)))
        .containsExactly(
            "epoch 1    loss 2.5000   eval loss 2.2500   step 27",
            "running    it trains",
            "epoch 2    loss 1.5000   eval loss 1.2500   step 54");
  }

  private StoryConsole console(boolean terminal) {
    return new StoryConsole(new PrintWriter(written), terminal, Instant.now());
  }

  private static FineTuneJob job(List<EpochResult> epochs) {
    FineTuneJob job = new FineTuneJob();
    job.setStatus(
        new FineTuneJobStatus(
            null,
            Phase.RUNNING,
            "it trains",
            null,
            null,
            epochs,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null));
    return job;
  }

  private static TrainingProgress training(int percentage) {
    return new TrainingProgress(
        2.5, 5, "2.5/5", 50, 100, 1.2345, null, 1e-4, 0.5, 12345.0, percentage, 65L);
  }
}
