package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.TrainerExit;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Arrays;
import java.util.Optional;

/** From what is left of a pod of a failed attempt to the reason. */
final class FailureClassifier {
  private static final int SIGNALS = 128;
  private static final int SIGKILL = 9;

  private FailureClassifier() {}

  /** No pod is left. A Job keeps the pods that failed by themselves, so somebody deleted it. */
  static Failure gone() {
    return Failure.interrupted(
        ConditionReason.Disrupted, null, "the pod was deleted, or its node is gone");
  }

  /**
   * Reads it from a pod.
   *
   * @param deleted whether the pod was deleted, and that is why it ended
   */
  static Failure classify(Pod pod, boolean deleted) {
    Optional<ContainerStateTerminated> terminated = PodFacts.terminated(pod);
    Integer exitCode = terminated.map(ContainerStateTerminated::getExitCode).orElse(null);
    Optional<String> disruption = disruption(pod, deleted);
    if (disruption.isPresent()) {
      return Failure.interrupted(ConditionReason.Disrupted, exitCode, disruption.get());
    }
    return PodFacts.startError(pod)
        .map(FailureClassifier::neverStarted)
        .or(() -> terminated.map(state -> exited(pod, state)))
        .orElseGet(() -> neverEnded(pod));
  }

  /**
   * The cluster's own words where it ended the pod. Kubernetes marks each such pod with the
   * condition DisruptionTarget, but not one that it evicts for exceeding its own limits.
   */
  private static Optional<String> disruption(Pod pod, boolean deleted) {
    var marked =
        PodFacts.condition(pod, "DisruptionTarget")
            .filter(condition -> "True".equals(condition.getStatus()))
            .map(condition -> condition.getReason() + ": " + condition.getMessage());
    if (marked.isPresent()) {
      return marked;
    }
    boolean lost =
        PodFacts.terminated(pod)
            .filter(state -> "ContainerStatusUnknown".equals(state.getReason()))
            .isPresent();
    if (lost) {
      return Optional.of("the node stopped reporting about the pod");
    }
    if (deleted) {
      return Optional.of("the pod was deleted");
    }
    return Optional.ofNullable(pod.getStatus() == null ? null : pod.getStatus().getReason())
        .filter(FailureClassifier::refusedByNode)
        .map(reason -> reason + ": " + pod.getStatus().getMessage());
  }

  /** The kubelet's reasons for a pod that it never started or that it stopped with the node. */
  private static boolean refusedByNode(String reason) {
    return reason.startsWith("OutOf")
        || Arrays.asList(
                "NodeAffinity",
                "NodeShutdown",
                "NodeLost",
                "Preempting",
                "Terminated",
                "UnexpectedAdmissionError")
            .contains(reason);
  }

  private static Failure exited(Pod pod, ContainerStateTerminated state) {
    int code = state.getExitCode() == null ? -1 : state.getExitCode();
    String words = LastWords.of(state).text();
    // Not every container runtime says OOMKilled: with some the reason of a SIGKILL is Error.
    boolean outOfMemory =
        "OOMKilled".equals(state.getReason())
            || (code == SIGNALS + SIGKILL && PodFacts.hasMemoryLimit(pod));
    if (outOfMemory) {
      return new Failure(
          AttemptOutcome.Failed,
          ConditionReason.OutOfMemory,
          code,
          "the container needed more than its memory limit; raise spec.resources.memory",
          false);
    }
    return Arrays.stream(TrainerExit.values())
        .filter(exit -> exit.code() == code && exit != TrainerExit.DONE)
        .findFirst()
        .map(exit -> known(exit, words))
        .orElseGet(() -> unknown(code, state.getReason(), words));
  }

  private static Failure known(TrainerExit exit, String words) {
    String message = words.isEmpty() ? "the trainer ended with exit code " + exit.code() : words;
    // Nobody of ours sent SIGTERM, or the attempt wouldn't be seen to fail: the network or a peer.
    AttemptOutcome outcome =
        exit == TrainerExit.TRY_AGAIN ? AttemptOutcome.Interrupted : AttemptOutcome.Failed;
    return new Failure(outcome, exit.reason(), exit.code(), message, exit.retryable());
  }

  private static Failure neverStarted(ContainerStateTerminated state) {
    String words = LastWords.of(state).text();
    return new Failure(
        AttemptOutcome.Failed,
        ConditionReason.UnknownExit,
        state.getExitCode(),
        "the trainer's container could not be started" + (words.isEmpty() ? "" : ": " + words),
        true);
  }

  private static Failure unknown(int code, String reason, String words) {
    String how =
        code > SIGNALS
            ? "the trainer was ended by signal " + (code - SIGNALS)
            : "the trainer ended with exit code " + code;
    String detail = reason == null || "Error".equals(reason) ? "" : " (" + reason + ")";
    String message = how + detail + (words.isEmpty() ? "" : "; its log ends: " + words);
    return new Failure(AttemptOutcome.Failed, ConditionReason.UnknownExit, code, message, true);
  }

  private static Failure neverEnded(Pod pod) {
    var status = pod.getStatus();
    String reason = status == null || status.getReason() == null ? "" : status.getReason() + ": ";
    String message =
        status == null || status.getMessage() == null
            ? "the Job failed and its pod doesn't say why"
            : status.getMessage();
    return new Failure(
        AttemptOutcome.Failed, ConditionReason.UnknownExit, null, reason + message, true);
  }
}
