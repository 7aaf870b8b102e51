package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.server.mock.crud.KubernetesCrudPersistence;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.crud.AttributeSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The objects that the mock holds, as trees. Whoever calls holds the API server's lock. */
final class ObjectStore {
  private final KubernetesCrudPersistence mock;
  private final Map<AttributeSet, String> objects;

  ObjectStore(KubernetesCrudPersistence mock, Map<AttributeSet, String> objects) {
    this.mock = mock;
    this.objects = objects;
  }

  /**
   * An object as it is stored.
   *
   * @param key what the mock selects it by
   */
  record Stored(AttributeSet key, ObjectNode object) {
    String uid() {
      return object.at("/metadata/uid").asText();
    }
  }

  Optional<Stored> find(String objectPath) {
    return Optional.ofNullable(mock.findResource(mock.getKey(objectPath))).map(this::stored);
  }

  List<Stored> all() {
    return objects.entrySet().stream().map(this::stored).toList();
  }

  /** Stores with the next resource version, and tells the watchers. */
  void create(String collection, ObjectNode object) {
    write(collection, mock.getKey(collection), null, object);
  }

  /** Replaces with the next resource version, and tells the watchers. */
  void replace(Stored previous, ObjectNode object) {
    write("", previous.key(), previous.key(), object);
  }

  /** Removes and tells the watchers. */
  void remove(Stored stored) {
    mock.processEvent("", stored.key(), stored.key(), null, null);
  }

  private void write(
      String path, AttributeSet pathAttributes, AttributeSet oldKey, ObjectNode object) {
    object
        .withObject("/metadata")
        .put("resourceVersion", String.valueOf(mock.requestResourceVersion()));
    String json = Serialization.asJson(object);
    // The generic type lets the mock take the plural from the path, as it does for every kind.
    var generic = Serialization.unmarshal(json, GenericKubernetesResource.class);
    mock.processEvent(path, pathAttributes, oldKey, generic, json);
  }

  private Stored stored(Map.Entry<AttributeSet, String> entry) {
    return new Stored(entry.getKey(), Serialization.unmarshal(entry.getValue(), ObjectNode.class));
  }
}
