package dev.finetune.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditionsTest {
  private static final Instant NOW = Instant.parse("2026-11-25T10:00:00Z");

  @Test
  void leavesTheConditionOfAnotherControllerAlone() {
    FineTuneJobStatus previous = status(condition("QuotaReserved"), condition("Accepted"));

    List<Condition> next =
        new Conditions(previous, 2L, NOW)
            .set(ConditionType.Running, false, ConditionReason.Starting, "starts")
            .toList();

    assertThat(next).extracting(Condition::getType).containsExactly("Accepted", "Running");
  }

  private static Condition condition(String type) {
    return new ConditionBuilder()
        .withType(type)
        .withStatus("True")
        .withReason("Valid")
        .withMessage("")
        .withLastTransitionTime("2026-11-25T09:00:00Z")
        .build();
  }

  private static FineTuneJobStatus status(Condition... conditions) {
    return new FineTuneJobStatus(
        null,
        null,
        null,
        List.of(conditions),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }
}
