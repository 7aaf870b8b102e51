package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.local.apiserver.ObjectStore.Stored;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Deletion and the garbage collection that follows it. A pod that runs is only marked, and goes
 * when its node says that nothing of it runs any more; an object goes with the last of its owners.
 */
final class ObjectRemoval {
  /** Kubernetes' default for pods that don't say. */
  private static final long GRACE_PERIOD_SECONDS = 30;

  private final ObjectStore store;
  private final Clock clock;

  ObjectRemoval(ObjectStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
  }

  /**
   * Deletes an object.
   *
   * @param gracePeriodSeconds what the request asks for; 0 removes a pod at once
   * @return the object as it was last
   */
  ObjectNode delete(ResourcePath path, Optional<Long> gracePeriodSeconds) {
    Stored stored = store.find(path.object()).orElseThrow(() -> RefusedException.notFound(path));
    delete(stored, gracePeriodSeconds);
    return stored.object();
  }

  /** Removes an object that waited only for its last finalizer. */
  void removeIfFinalized(String objectPath) {
    store
        .find(objectPath)
        .filter(stored -> markedForDeletion(stored) && !finalizing(stored) && !pod(stored))
        .ifPresent(this::remove);
  }

  /** Removes a new object whose owners were deleted before it was created. */
  void removeIfOwnerIsGone(String objectPath) {
    Set<String> present = store.all().stream().map(Stored::uid).collect(Collectors.toSet());
    store
        .find(objectPath)
        .filter(stored -> !owners(stored).isEmpty())
        .filter(stored -> owners(stored).stream().noneMatch(present::contains))
        .ifPresent(this::remove);
  }

  private void delete(Stored stored, Optional<Long> gracePeriodSeconds) {
    if (finalizing(stored)) {
      mark(stored, 0);
    } else if (pod(stored) && runs(stored) && gracePeriodSeconds.orElse(1L) > 0) {
      long own =
          stored.object().at("/spec/terminationGracePeriodSeconds").asLong(GRACE_PERIOD_SECONDS);
      mark(stored, gracePeriodSeconds.orElse(own));
    } else {
      remove(stored);
    }
  }

  private void remove(Stored stored) {
    store.remove(stored);
    Set<String> present = store.all().stream().map(Stored::uid).collect(Collectors.toSet());
    for (Stored other : store.all()) {
      Set<String> owners = owners(other);
      if (owners.contains(stored.uid()) && owners.stream().noneMatch(present::contains)) {
        delete(other, Optional.empty());
      }
    }
  }

  private void mark(Stored stored, long gracePeriodSeconds) {
    if (markedForDeletion(stored)) {
      return;
    }
    ObjectNode next = stored.object().deepCopy();
    ObjectNode metadata = next.withObject("/metadata");
    metadata.put(
        "deletionTimestamp",
        clock.instant().plusSeconds(gracePeriodSeconds).truncatedTo(ChronoUnit.SECONDS).toString());
    metadata.put("deletionGracePeriodSeconds", gracePeriodSeconds);
    store.replace(stored, next);
  }

  private static boolean pod(Stored stored) {
    return "Pod".equals(stored.object().path("kind").asText());
  }

  private static boolean runs(Stored pod) {
    String phase = pod.object().at("/status/phase").asText();
    return pod.object().at("/spec").hasNonNull("nodeName")
        && !"Succeeded".equals(phase)
        && !"Failed".equals(phase);
  }

  private static boolean finalizing(Stored stored) {
    return !stored.object().at("/metadata/finalizers").isEmpty();
  }

  private static boolean markedForDeletion(Stored stored) {
    return stored.object().get("metadata").hasNonNull("deletionTimestamp");
  }

  private static Set<String> owners(Stored stored) {
    JsonNode references = stored.object().at("/metadata/ownerReferences");
    return references.isArray()
        ? references.findValuesAsText("uid").stream().collect(Collectors.toSet())
        : Set.of();
  }
}
