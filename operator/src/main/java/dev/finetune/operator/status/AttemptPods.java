package dev.finetune.operator.status;

import dev.finetune.operator.resources.Ranks;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The pods of one attempt: the newest of each completion index, in the order of the indexes.
 *
 * @param pods those that are there
 * @param expected how many it has when all are there
 */
public record AttemptPods(List<Pod> pods, int expected) {
  /** None is there. */
  public static final AttemptPods NONE = of();

  /** Defensive copy. */
  public AttemptPods {
    pods = List.copyOf(pods);
  }

  /** All that the attempt has. */
  public static AttemptPods of(Pod... pods) {
    return new AttemptPods(List.of(pods), Math.max(1, pods.length));
  }

  /** The completion index that the Job controller gave a pod; 0 where it gave none. */
  public static int index(Pod pod) {
    var annotations = pod.getMetadata().getAnnotations();
    String index = annotations == null ? null : annotations.get(Ranks.INDEX_ANNOTATION);
    return index != null && index.matches("[0-9]{1,9}") ? Integer.parseInt(index) : 0;
  }

  /** That of index 0: rank 0 runs there, which reports for all. */
  public Optional<Pod> first() {
    return pods.stream().filter(pod -> index(pod) == 0).findFirst();
  }

  /** That in which a rank runs: the ranks are counted through the pods. */
  public Optional<Pod> ofRank(int rank) {
    return pods.stream()
        .filter(pod -> PodFacts.ranks(pod).filter(each -> rank / each == index(pod)).isPresent())
        .findFirst();
  }

  /** Whether more than one pod trains. */
  public boolean several() {
    return expected > 1;
  }

  /** Whether some have yet to come, or are gone. */
  public boolean incomplete() {
    return pods.size() < expected;
  }

  /** Those that are there. */
  public Stream<Pod> stream() {
    return pods.stream();
  }
}
