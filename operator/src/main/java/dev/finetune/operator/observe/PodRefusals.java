package dev.finetune.operator.observe;

import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Why a Job has no pod. A quota or a webhook that refuses it shows in the Job's Events only, as it
 * is the Job controller that is refused.
 *
 * <p>The API server has no index for the Events of one object and reads all of the namespace. So it
 * is asked only for a Job that has been without a pod for a while, and at most once a second,
 * however many Jobs there are.
 */
@ApplicationScoped
class PodRefusals {
  /** More Jobs than this, and the words of the one that was asked about first are forgotten. */
  private static final int REMEMBERED = 1000;

  private final KubernetesClient client;
  private final Clock clock;
  private final Duration patience;
  private final Pace pace = new Pace(1);

  /** The last words about each Job, by its uid. */
  private final Map<String, Optional<String>> words = new LinkedHashMap<>();

  PodRefusals(KubernetesClient client, OperatorConfig config, Clock clock) {
    this.client = client;
    this.clock = clock;
    this.patience = config.progress().interval();
  }

  /** The API server's last words about a Job that has no pod; empty while there may be none. */
  Optional<String> of(Job job) {
    String uid = job.getMetadata().getUid();
    Instant now = clock.instant();
    Instant created = Instant.parse(job.getMetadata().getCreationTimestamp());
    if (now.isBefore(created.plus(patience)) || !pace.tryNow(now)) {
      return remembered(uid);
    }
    Optional<String> latest = list(job);
    remember(uid, latest);
    return latest;
  }

  private Optional<String> list(Job job) {
    String uid = job.getMetadata().getUid();
    return client
        .v1()
        .events()
        .inNamespace(job.getMetadata().getNamespace())
        .withField("involvedObject.uid", uid)
        .list()
        .getItems()
        .stream()
        .filter(event -> "FailedCreate".equals(event.getReason()))
        .filter(event -> uid.equals(event.getInvolvedObject().getUid()))
        .map(Event::getMessage)
        .reduce((earlier, later) -> later);
  }

  private synchronized Optional<String> remembered(String uid) {
    return words.getOrDefault(uid, Optional.empty());
  }

  private synchronized void remember(String uid, Optional<String> latest) {
    words.remove(uid);
    words.put(uid, latest);
    if (words.size() > REMEMBERED) {
      words.remove(words.keySet().iterator().next());
    }
  }
}
