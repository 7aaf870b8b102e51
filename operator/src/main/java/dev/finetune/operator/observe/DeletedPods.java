package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.Pod;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The last state of pods that ended and are deleted. A kubelet reports how a pod's container ended
 * and removes the pod within milliseconds, so that a pass which looks at the cache after that would
 * find neither its exit code nor its last checkpoint.
 */
@ApplicationScoped
class DeletedPods {
  /** Far more than end between two passes. */
  private static final int KEPT = 500;

  private final Map<String, Pod> byUid =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Pod> eldest) {
          return size() > KEPT;
        }
      };

  /** Keeps a pod as it was when it was deleted, if it had ended by then. */
  synchronized void remember(Pod pod) {
    if (Observation.ended(pod)) {
      byUid.put(pod.getMetadata().getUid(), pod);
    }
  }

  /** Those of a FineTuneJob, and not of one of the same name that was there before it. */
  synchronized List<Pod> of(FineTuneJob job) {
    String name = job.getMetadata().getName();
    String namespace = job.getMetadata().getNamespace();
    Instant created = Instant.parse(job.getMetadata().getCreationTimestamp());
    return byUid.values().stream()
        .filter(pod -> namespace.equals(pod.getMetadata().getNamespace()))
        .filter(pod -> name.equals(pod.getMetadata().getLabels().get(Labels.JOB)))
        .filter(pod -> !Instant.parse(pod.getMetadata().getCreationTimestamp()).isBefore(created))
        .toList();
  }
}
