package dev.finetune.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.Schedule;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
  @Test
  void cosineEqualsTransformersInEveryStep() {
    // get_cosine_schedule_with_warmup(num_warmup_steps=3, num_training_steps=20), peak 2e-3.
    LearningRateSchedule schedule = new LearningRateSchedule(Schedule.COSINE, 2e-3, 3, 20);

    assertThat(schedule.at(0)).isZero();
    assertThat(schedule.at(1)).isEqualTo(0.0006666666666666666, within(1e-18));
    assertThat(schedule.at(2)).isEqualTo(0.0013333333333333333, within(1e-18));
    assertThat(schedule.at(3)).isEqualTo(0.002);
    assertThat(schedule.at(19)).isEqualTo(1.7026900316098216e-05, within(1e-18));
  }

  @Test
  void linearFallsToZeroBehindTheLastStep() {
    LearningRateSchedule schedule = new LearningRateSchedule(Schedule.LINEAR, 1e-3, 2, 10);

    assertThat(schedule.at(1)).isEqualTo(0.5e-3);
    assertThat(schedule.at(2)).isEqualTo(1e-3);
    assertThat(schedule.at(6)).isEqualTo(0.5e-3);
    assertThat(schedule.at(9)).isEqualTo(0.125e-3);
    assertThat(schedule.at(10)).isZero();
  }

  @Test
  void constantStaysAtThePeakAfterTheWarmUp() {
    LearningRateSchedule schedule = new LearningRateSchedule(Schedule.CONSTANT, 1e-3, 1, 10);

    assertThat(schedule.at(0)).isZero();
    assertThat(schedule.at(1)).isEqualTo(1e-3);
    assertThat(schedule.at(9)).isEqualTo(1e-3);
  }

  @Test
  void warmUpOverAllStepsNeverDividesByZero() {
    LearningRateSchedule schedule = new LearningRateSchedule(Schedule.COSINE, 1, 4, 4);

    assertThat(schedule.at(3)).isEqualTo(0.75);
    assertThat(schedule.at(4)).isEqualTo(1);
  }
}
