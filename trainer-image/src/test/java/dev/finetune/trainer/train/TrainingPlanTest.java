package dev.finetune.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.trainer.RecipeFixture;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingPlanTest {
  @Test
  void aShareOfAStepMakesAWholeWarmUpStep() {
    TrainingPlan plan = plan(Map.of("training.warmupRatio", 0.05));

    assertThat(plan.learningRate(0)).isZero();
    assertThat(plan.learningRate(1)).isEqualTo(0.5);
    assertThat(plan.learningRate(2)).isEqualTo(1);
  }

  @Test
  void warmUpStepsComeBeforeTheRatio() {
    TrainingPlan plan = plan(Map.of("training.warmupRatio", 0.5, "training.warmupSteps", 4));

    assertThat(plan.learningRate(1)).isEqualTo(0.25);
    assertThat(plan.learningRate(4)).isEqualTo(1);
  }

  /** A plan of 21 steps. */
  private static TrainingPlan plan(Map<String, Object> warmup) {
    Map<String, Object> settings = new HashMap<>(warmup);
    settings.put("training.learningRate", 1);
    settings.put("training.schedule", "Constant");
    settings.put("training.epochs", 3);
    return new TrainingPlan(RecipeFixture.of(settings).training(), 7, false);
  }
}
