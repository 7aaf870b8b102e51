package dev.finetune.operator.events;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.status.Conditions;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One thing that changed between two statuses, as an Event tells it. Equal statuses make none, so
 * an Event is never repeated for a state that lasts.
 *
 * @param type Normal, or Warning where somebody may have to act
 */
record Transition(String type, ConditionReason reason, String message) {
  /** Where training goes on or ends as it should. */
  private static final Set<ConditionReason> NORMAL =
      EnumSet.of(
          ConditionReason.Starting,
          ConditionReason.Queued,
          ConditionReason.Preempted,
          ConditionReason.SuspendRequested,
          ConditionReason.NotSuspended,
          ConditionReason.Completed);

  /** The Job and its pod have Events of their own that tell this; ours would be two more writes. */
  private static final Set<ConditionReason> TOLD_BY_OTHERS =
      EnumSet.of(
          ConditionReason.JobCreated,
          ConditionReason.PodScheduled,
          ConditionReason.PodStarting,
          ConditionReason.TrainerRunning);

  /** What changed, in the order of its weight. */
  static List<Transition> between(FineTuneJobStatus previous, FineTuneJobStatus next) {
    var transitions = new ArrayList<Transition>();
    Optional<Condition> rejection =
        Conditions.find(next, ConditionType.Accepted)
            .filter(condition -> "False".equals(condition.getStatus()))
            .filter(condition -> differs(previous, condition) || !sameMessage(previous, condition));
    rejection.ifPresent(condition -> transitions.add(of(condition, condition.getMessage())));
    Conditions.find(next, ConditionType.Running)
        .filter(condition -> differs(previous, condition))
        .filter(condition -> reason(condition) != ConditionReason.InvalidSpec)
        .filter(condition -> !TOLD_BY_OTHERS.contains(reason(condition)))
        .ifPresent(condition -> transitions.add(of(condition, next.message())));
    return transitions;
  }

  private static boolean differs(FineTuneJobStatus previous, Condition condition) {
    return before(previous, condition)
        .filter(before -> before.getStatus().equals(condition.getStatus()))
        .filter(before -> before.getReason().equals(condition.getReason()))
        .isEmpty();
  }

  private static boolean sameMessage(FineTuneJobStatus previous, Condition condition) {
    return before(previous, condition)
        .filter(before -> before.getMessage().equals(condition.getMessage()))
        .isPresent();
  }

  private static Optional<Condition> before(FineTuneJobStatus previous, Condition condition) {
    return Conditions.find(previous, ConditionType.valueOf(condition.getType()));
  }

  private static Transition of(Condition condition, String message) {
    ConditionReason reason = reason(condition);
    return new Transition(NORMAL.contains(reason) ? "Normal" : "Warning", reason, message);
  }

  private static ConditionReason reason(Condition condition) {
    return ConditionReason.valueOf(condition.getReason());
  }
}
