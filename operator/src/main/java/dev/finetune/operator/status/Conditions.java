package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The conditions of one status, with the transition times that Kubernetes' convention asks for. */
public final class Conditions {
  /** The API server refuses a longer message in a condition. */
  private static final int LONGEST_MESSAGE = 32768;

  private final Map<ConditionType, Condition> byType = new EnumMap<>(ConditionType.class);
  private final Long generation;
  private final Instant now;

  /** The conditions of {@code previous}, to be changed for the spec's {@code generation}. */
  Conditions(FineTuneJobStatus previous, Long generation, Instant now) {
    this.generation = generation;
    this.now = now;
    for (ConditionType type : ConditionType.values()) {
      // Another controller's condition has another type; it is left to that controller.
      find(previous, type).ifPresent(condition -> byType.put(type, condition));
    }
  }

  /** Sets one; its transition time changes only where its status does. */
  Conditions set(ConditionType type, boolean holds, ConditionReason reason, String message) {
    String status = holds ? "True" : "False";
    Condition before = byType.get(type);
    String transition =
        before != null && before.getStatus().equals(status)
            ? before.getLastTransitionTime()
            : now.truncatedTo(ChronoUnit.SECONDS).toString();
    byType.put(
        type,
        new ConditionBuilder()
            .withType(type.name())
            .withStatus(status)
            .withReason(reason.name())
            .withMessage(
                message.length() > LONGEST_MESSAGE
                    ? message.substring(0, LONGEST_MESSAGE)
                    : message)
            .withLastTransitionTime(transition)
            .withObservedGeneration(generation)
            .build());
    return this;
  }

  boolean holds(ConditionType type) {
    return byType.containsKey(type) && "True".equals(byType.get(type).getStatus());
  }

  /** In the fixed order of {@link ConditionType}. */
  List<Condition> toList() {
    return new ArrayList<>(byType.values());
  }

  /** The conditions in one word. */
  Phase phase() {
    if (holds(ConditionType.Failed)) {
      return Phase.FAILED;
    }
    if (holds(ConditionType.Succeeded)) {
      return Phase.SUCCEEDED;
    }
    if (holds(ConditionType.Suspended)) {
      return Phase.SUSPENDED;
    }
    if (holds(ConditionType.Running)) {
      return Phase.RUNNING;
    }
    Condition running = byType.get(ConditionType.Running);
    String reason = running == null ? "" : running.getReason();
    if (reason.equals(ConditionReason.Queued.name())) {
      return Phase.QUEUED;
    }
    return reason.equals(ConditionReason.BackingOff.name()) ? Phase.RESTARTING : Phase.PENDING;
  }

  /** Whether a condition of a status is True. */
  public static boolean holds(FineTuneJobStatus status, ConditionType type) {
    return find(status, type).filter(condition -> "True".equals(condition.getStatus())).isPresent();
  }

  /** Why the trainer runs or doesn't; empty for a new job. */
  public static Optional<ConditionReason> runningReason(FineTuneJobStatus status) {
    return find(status, ConditionType.Running)
        .map(condition -> ConditionReason.valueOf(condition.getReason()));
  }

  /** Whether a job with this status is done for good. */
  public static boolean terminal(FineTuneJobStatus status) {
    return holds(status, ConditionType.Succeeded) || holds(status, ConditionType.Failed);
  }

  /** A condition of a status. */
  public static Optional<Condition> find(FineTuneJobStatus status, ConditionType type) {
    return list(status).stream()
        .filter(condition -> type.name().equals(condition.getType()))
        .findFirst();
  }

  private static List<Condition> list(FineTuneJobStatus status) {
    return status == null || status.conditions() == null ? List.of() : status.conditions();
  }
}
