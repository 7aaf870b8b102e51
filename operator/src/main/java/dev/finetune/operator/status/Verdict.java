package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Why an attempt ended, and which of its pods tells so. Where one of several ranks fails, all end:
 * the others with 74 because they lost it, or by the Job controller's SIGTERM. The one to listen to
 * is that which ended for a reason of its own.
 *
 * @param pod the one that tells; empty where none is left
 * @param rank the rank that failed first; null where none did, or it isn't known
 */
record Verdict(Failure failure, Optional<Pod> pod, Integer rank) {

  /** How much a pod's end explains, the most first. */
  private enum Weight {
    OWN_FAILURE,
    DISRUPTED,
    RANK_LOST,
    INTERRUPTED,
    NOTHING
  }

  private record Testimony(Pod pod, Failure failure, Weight weight) {
    private static final Comparator<Testimony> ORDER =
        Comparator.comparing(Testimony::weight)
            .thenComparing(each -> PodFacts.finishedTime(each.pod).orElse(Instant.MAX))
            .thenComparing(each -> AttemptPods.index(each.pod));

    Verdict verdict() {
      return new Verdict(failure, Optional.of(pod), rankOf(pod));
    }
  }

  private static final int SIGTERM = 143;
  private static final int SIGKILL = 137;

  /** That on an attempt whose Job failed. */
  static Verdict of(AttemptPods pods) {
    return testimonies(pods).stream()
        .min(Testimony.ORDER)
        .map(Testimony::verdict)
        .orElseGet(() -> new Verdict(FailureClassifier.gone(), Optional.empty(), null));
  }

  /** That by a pod which failed neither by the cluster's hand nor because of another's failure. */
  static Optional<Verdict> ofOwnFailure(AttemptPods pods) {
    return testimonies(pods).stream()
        .filter(each -> each.weight == Weight.OWN_FAILURE)
        .min(Testimony.ORDER)
        .map(Testimony::verdict);
  }

  private static List<Testimony> testimonies(AttemptPods pods) {
    return pods.stream()
        .map(
            pod -> {
              Failure failure = FailureClassifier.classify(pod, deletedFirst(pod, pods));
              return new Testimony(pod, failure, weight(pod, failure));
            })
        .toList();
  }

  private static Weight weight(Pod pod, Failure failure) {
    if (failure.reason() == ConditionReason.Disrupted) {
      return Weight.DISRUPTED;
    }
    Optional<ContainerStateTerminated> terminated = PodFacts.terminated(pod);
    if (terminated.isEmpty()) {
      return PodFacts.ended(pod) ? Weight.OWN_FAILURE : Weight.NOTHING;
    }
    int code = failure.exitCode() == null ? -1 : failure.exitCode();
    if ("OOMKilled".equals(terminated.get().getReason())) {
      return Weight.OWN_FAILURE;
    } else if (code == 0) {
      return Weight.NOTHING;
    } else if (code == TrainerExit.RANK_LOST.code()) {
      return Weight.RANK_LOST;
    }
    boolean killed = code == SIGKILL && pod.getMetadata().getDeletionTimestamp() != null;
    return killed || code == SIGTERM || code == TrainerExit.TRY_AGAIN.code()
        ? Weight.INTERRUPTED
        : Weight.OWN_FAILURE;
  }

  /**
   * Whether a pod that is deleted was so by somebody, and not by the Job controller, which deletes
   * the others once one has failed. A pod whose deletion leads to no end has lost its node, whoever
   * deleted it.
   */
  private static boolean deletedFirst(Pod pod, AttemptPods pods) {
    Optional<Instant> deletion = PodFacts.deletionRequest(pod);
    return deletion.isPresent()
        && (!PodFacts.ended(pod)
            || pods.stream()
                .filter(other -> AttemptPods.index(other) != AttemptPods.index(pod))
                .flatMap(other -> failedByItself(other).stream())
                .allMatch(end -> deletion.get().isBefore(end)));
  }

  /** When; long ago for one whose container never ran. */
  private static Optional<Instant> failedByItself(Pod pod) {
    boolean failed =
        pod.getMetadata().getDeletionTimestamp() == null
            && "Failed".equals(pod.getStatus() == null ? null : pod.getStatus().getPhase());
    return failed ? Optional.of(PodFacts.finishedTime(pod).orElse(Instant.MIN)) : Optional.empty();
  }

  /** The one that the trainer names, or the pod's only one. */
  private static Integer rankOf(Pod pod) {
    return PodFacts.terminated(pod)
        .flatMap(state -> LastWords.of(state).structured())
        .map(TerminationMessage::rank)
        .or(
            () ->
                PodFacts.ranks(pod).filter(ranks -> ranks == 1).map(one -> AttemptPods.index(pod)))
        .orElse(null);
  }
}
