package dev.finetune.operator.resources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Lays a part of a PodTemplateSpec over another one as Kubernetes' strategic merge patch does:
 * objects field by field, lists with a merge key item by item, other lists as a whole; null removes
 * a field. Its directives ({@code $patch} and the like) are not known here.
 */
public final class StrategicMerge {
  /**
   * The merge key of each list in a PodTemplateSpec that has one: {@code patchMergeKey} in {@code
   * k8s.io/api/core/v1/types.go}, which the API server publishes as {@code
   * x-kubernetes-patch-merge-key}. A name means the same wherever it occurs in a PodTemplateSpec.
   */
  static final Map<String, String> MERGE_KEYS =
      Map.ofEntries(
          Map.entry("containers", "name"),
          Map.entry("initContainers", "name"),
          Map.entry("volumes", "name"),
          Map.entry("imagePullSecrets", "name"),
          Map.entry("resourceClaims", "name"),
          Map.entry("schedulingGates", "name"),
          Map.entry("topologySpreadConstraints", "topologyKey"),
          Map.entry("hostAliases", "ip"),
          Map.entry("env", "name"),
          Map.entry("ports", "containerPort"),
          Map.entry("volumeMounts", "mountPath"),
          Map.entry("volumeDevices", "devicePath"));

  private StrategicMerge() {}

  /** The name of the field that identifies an item of the list {@code field}. */
  public static Optional<String> mergeKey(String field) {
    return Optional.ofNullable(MERGE_KEYS.get(field));
  }

  /** {@code base} with {@code overlay} laid over it; neither is changed. */
  static ObjectNode merge(ObjectNode base, ObjectNode overlay) {
    ObjectNode merged = base.deepCopy();
    overlay
        .properties()
        .forEach(
            field -> {
              String name = field.getKey();
              if (field.getValue().isNull()) {
                merged.remove(name);
              } else {
                merged.set(name, merge(name, merged.get(name), field.getValue()));
              }
            });
    return merged;
  }

  private static JsonNode merge(String field, JsonNode base, JsonNode overlay) {
    if (overlay instanceof ObjectNode object) {
      ObjectNode below = base instanceof ObjectNode present ? present : object.objectNode();
      return merge(below, object);
    }
    String key = MERGE_KEYS.get(field);
    if (key != null && overlay instanceof ArrayNode items) {
      return mergeItems(
          base instanceof ArrayNode present ? present : items.arrayNode(), items, key);
    }
    return overlay.deepCopy();
  }

  /** Items that are known keep their place, new ones follow. */
  private static ArrayNode mergeItems(ArrayNode base, ArrayNode overlay, String key) {
    ArrayNode merged = base.deepCopy();
    for (JsonNode item : overlay) {
      int place =
          IntStream.range(0, merged.size())
              .filter(i -> merged.get(i).path(key).equals(item.path(key)))
              .findFirst()
              .orElse(-1);
      if (place < 0) {
        merged.add(merge("", null, item));
      } else {
        merged.set(place, merge("", merged.get(place), item));
      }
    }
    return merged;
  }
}
