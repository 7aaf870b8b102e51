package dev.finetune.operator.resources;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.operator.support.KubeApiServer;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The merge keys are those that a real API server publishes. */
class MergeKeysIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final String PREFIX = "#/components/schemas/";

  /** Lists that can't be in a PodTemplateSpec, or are of no use in it. */
  private static final Set<String> LEFT_OUT =
      Set.of("ephemeralContainers", "ownerReferences", "evictionResponders");

  @Test
  void theMergeKeysAreThoseOfTheApiServersOwnPodTemplateSpec() throws JsonProcessingException {
    JsonNode schemas =
        new ObjectMapper()
            .readTree(API.client().raw("/openapi/v3/apis/batch/v1"))
            .at("/components/schemas");
    Map<String, String> published = new TreeMap<>();

    collect(schemas, "io.k8s.api.core.v1.PodTemplateSpec", published, new HashSet<>());

    published.keySet().removeAll(LEFT_OUT);
    assertThat(StrategicMerge.MERGE_KEYS).isEqualTo(published);
  }

  private static void collect(
      JsonNode schemas, String name, Map<String, String> keys, Set<String> seen) {
    if (!seen.add(name)) {
      return;
    }
    schemas
        .path(name)
        .path("properties")
        .properties()
        .forEach(
            field -> {
              JsonNode schema = field.getValue();
              if (schema.has("x-kubernetes-patch-merge-key")) {
                String before =
                    keys.put(field.getKey(), schema.get("x-kubernetes-patch-merge-key").asText());
                assertThat(before)
                    .as("a field's name means one thing: %s", field.getKey())
                    .isIn(null, keys.get(field.getKey()));
              }
              schema
                  .findValuesAsText("$ref")
                  .forEach(ref -> collect(schemas, ref.substring(PREFIX.length()), keys, seen));
            });
  }
}
