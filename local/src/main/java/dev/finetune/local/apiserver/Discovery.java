package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.api.model.APIGroup;
import io.fabric8.kubernetes.api.model.APIGroupBuilder;
import io.fabric8.kubernetes.api.model.APIGroupListBuilder;
import io.fabric8.kubernetes.api.model.APIResource;
import io.fabric8.kubernetes.api.model.APIResourceBuilder;
import io.fabric8.kubernetes.api.model.APIResourceListBuilder;
import io.fabric8.kubernetes.api.model.APIVersionsBuilder;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What the API server says about itself, as far as kubectl asks before it reads or writes: the
 * version, the groups, and the kinds that a fine-tuning has to do with.
 */
final class Discovery {
  private static final List<Class<? extends HasMetadata>> KINDS =
      List.of(
          FineTuneJob.class,
          Job.class,
          Pod.class,
          ConfigMap.class,
          Secret.class,
          PersistentVolumeClaim.class,
          Event.class,
          Lease.class);

  private static final Map<String, String> SHORT_NAMES =
      Map.of("finetunejobs", "ftj", "pods", "po", "configmaps", "cm", "events", "ev");

  private static final List<String> VERBS =
      List.of("get", "list", "watch", "create", "update", "patch", "delete");

  private static final Map<String, JsonNode> DOCUMENTS = documents();

  private Discovery() {}

  /** The document at a path, without a query; empty where there is none. */
  static Optional<JsonNode> document(String path) {
    return Optional.ofNullable(DOCUMENTS.get(path));
  }

  private static Map<String, JsonNode> documents() {
    Map<String, Object> documents = new TreeMap<>();
    Map<String, List<APIResource>> byVersion =
        KINDS.stream()
            .collect(
                Collectors.groupingBy(
                    HasMetadata::getApiVersion,
                    TreeMap::new,
                    Collectors.mapping(Discovery::resource, Collectors.toList())));
    byVersion.forEach(
        (version, resources) ->
            documents.put(
                (version.contains("/") ? "/apis/" : "/api/") + version,
                new APIResourceListBuilder()
                    .withGroupVersion(version)
                    .withResources(resources)
                    .build()));
    List<APIGroup> groups =
        byVersion.keySet().stream()
            .filter(version -> version.contains("/"))
            .map(Discovery::group)
            .toList();
    documents.put("/apis", new APIGroupListBuilder().withGroups(groups).build());
    documents.put("/api", new APIVersionsBuilder().withVersions("v1").build());
    documents.put(
        "/version",
        Map.of("major", "1", "minor", "32", "gitVersion", "v1.32.0", "platform", "embedded"));
    return documents.entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                entry ->
                    Serialization.unmarshal(
                        Serialization.asJson(entry.getValue()), JsonNode.class)));
  }

  private static APIGroup group(String version) {
    String name = version.substring(0, version.indexOf('/'));
    String number = version.substring(version.indexOf('/') + 1);
    return new APIGroupBuilder()
        .withName(name)
        .addNewVersion(version, number)
        .withNewPreferredVersion(version, number)
        .build();
  }

  private static APIResource resource(Class<? extends HasMetadata> type) {
    String plural = HasMetadata.getPlural(type);
    var resource =
        new APIResourceBuilder()
            .withName(plural)
            .withSingularName(HasMetadata.getSingular(type))
            .withKind(HasMetadata.getKind(type))
            .withNamespaced(true)
            .withVerbs(VERBS);
    if (SHORT_NAMES.containsKey(plural)) {
      resource.withShortNames(SHORT_NAMES.get(plural));
    }
    return resource.build();
  }
}
