package dev.finetune.operator.reconcile;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/**
 * What shows that the CustomResourceDefinition in the cluster is older than the operator, as after
 * a release without it ({@code crds.enabled: false}) or a manifest that was forgotten: the API
 * server drops the fields that it doesn't know, and refuses values that it doesn't know. Each is
 * logged once, and jobs go on as well as they can.
 */
@ApplicationScoped
class InstalledSchema {
  private static final Logger LOG = Logger.getLogger(InstalledSchema.class);
  private static final String ADVICE =
      "the CustomResourceDefinition finetunejobs.finetune.dev in the cluster is older than this"
          + " operator. Upgrade it: helm upgrade with crds.enabled=true, or kubectl apply"
          + " --server-side with the file of this version";

  private final KubernetesSerialization json;
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  InstalledSchema(KubernetesClient client) {
    this.json = client.getKubernetesSerialization();
  }

  /** Looks for what the API server dropped from a status. */
  void wrote(FineTuneJobStatus sent, FineTuneJobStatus stored) {
    if (Objects.equals(sent, stored)) {
      return;
    }
    SortedSet<String> dropped = new TreeSet<>();
    missing("status", tree(sent), tree(stored), dropped);
    dropped.removeIf(field -> !told.add(field));
    if (!dropped.isEmpty()) {
      LOG.errorf("the API server dropped %s: %s", String.join(", ", dropped), ADVICE);
    }
  }

  /** Tells that the API server refused a status. */
  void refused(StatusRefusedException e) {
    if (told.add("refused")) {
      LOG.errorf(
          "the API server refused a status: %s. If that is no fault of ours, %s",
          e.getMessage(), ADVICE);
    }
  }

  private JsonNode tree(FineTuneJobStatus status) {
    return json.convertValue(status, JsonNode.class);
  }

  private static void missing(String path, JsonNode sent, JsonNode stored, Set<String> found) {
    if (sent.isObject()) {
      sent.properties()
          .forEach(
              field -> {
                JsonNode kept = stored.path(field.getKey());
                String name = path + "." + field.getKey();
                if (kept.isMissingNode()) {
                  found.add(name);
                } else {
                  missing(name, field.getValue(), kept, found);
                }
              });
    } else if (sent.isArray()) {
      for (int i = 0; i < sent.size() && stored.has(i); i++) {
        missing(path + "[]", sent.get(i), stored.get(i), found);
      }
    }
  }
}
