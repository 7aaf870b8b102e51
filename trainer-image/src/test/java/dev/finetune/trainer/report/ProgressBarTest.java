package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.TrainingProgress;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  @Test
  void theBarShowsEpochLossSpeedAndTimeLeft() {
    TrainingProgress training =
        new TrainingProgress(
            2.4, 5, "2.4/5", 1200, 2500, 1.23, 1.31, 8.1e-5, 0.7, 9100.0, 48, 3725L);

    assertThat(ProgressBar.bar(training))
        .isEqualTo(
            "[###########.............]  48%  epoch 2.4/5  step 1200/2500  loss 1.2300"
                + "  eval 1.3100  9100 tokens/s  1:02:05 left");
  }

  @Test
  void whatIsNotKnownYetIsLeftOut() {
    TrainingProgress training =
        new TrainingProgress(0.0, 5, "0/5", 0, 2500, null, null, null, null, null, 0, null);

    assertThat(ProgressBar.bar(training))
        .isEqualTo("[........................]   0%  epoch 0/5  step 0/2500");
  }
}
