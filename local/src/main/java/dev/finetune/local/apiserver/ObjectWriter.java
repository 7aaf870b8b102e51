package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.local.apiserver.ObjectStore.Stored;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.zjsonpatch.JsonPatch;
import io.fabric8.zjsonpatch.JsonPatchException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Writes as a real API server does: metadata is generated, status and the rest are written apart, a
 * stale resource version is refused, and a change that changes nothing is none.
 */
final class ObjectWriter {
  /** What belongs to the API server and not to whoever writes. */
  private static final List<String> SERVER_METADATA =
      List.of(
          "name",
          "namespace",
          "uid",
          "creationTimestamp",
          "deletionTimestamp",
          "deletionGracePeriodSeconds",
          "generation");

  private final ObjectStore store;
  private final ObjectRemoval removal;
  private final FineTuneJobAdmission admission = new FineTuneJobAdmission();
  private final Clock clock;

  ObjectWriter(ObjectStore store, ObjectRemoval removal, Clock clock) {
    this.store = store;
    this.removal = removal;
    this.clock = clock;
  }

  ObjectNode create(ResourcePath path, ObjectNode object) {
    required(object);
    ObjectNode metadata = object.withObject("/metadata");
    if (!metadata.hasNonNull("name")) {
      String suffix = UUID.randomUUID().toString().substring(0, 5);
      metadata.put("name", metadata.path("generateName").asText() + suffix);
    }
    String name = metadata.get("name").asText();
    if (store.find(path.collection() + "/" + name).isPresent()) {
      throw RefusedException.alreadyExists(path, name);
    }
    if (path.namespace() != null) {
      String named = metadata.path("namespace").asText(path.namespace());
      if (!named.equals(path.namespace())) {
        throw RefusedException.badRequest(
            "the namespace of the provided object does not match the namespace sent on the request");
      }
      metadata.put("namespace", path.namespace());
    }
    metadata.put("uid", UUID.randomUUID().toString());
    metadata.put("creationTimestamp", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    metadata.put("generation", 1);
    metadata.remove("deletionTimestamp");
    object.remove("status");
    if (path.ofPod()) {
      object.putObject("status").put("phase", "Pending");
    }
    ObjectNode admitted = admit(path, object, Optional.empty());
    store.create(path.collection(), admitted);
    removal.removeIfOwnerIsGone(path.collection() + "/" + name);
    return admitted;
  }

  ObjectNode replace(ResourcePath path, ObjectNode object) {
    Stored previous = store.find(path.object()).orElseThrow(() -> RefusedException.notFound(path));
    return replace(path, previous, object);
  }

  ObjectNode patch(ResourcePath path, String contentType, JsonNode patch) {
    Optional<Stored> previous = store.find(path.object());
    boolean apply = contentType.startsWith("application/apply-patch");
    if (previous.isEmpty()) {
      if (apply && path.subresource() == null) {
        return create(path, (ObjectNode) patch);
      }
      throw RefusedException.notFound(path);
    }
    ObjectNode patched = previous.get().object().deepCopy();
    if (apply) {
      MergePatch.apply(patched, patch);
    } else if (contentType.startsWith("application/merge-patch")
        || contentType.startsWith("application/strategic-merge-patch")) {
      MergePatch.merge(patched, patch);
    } else if (contentType.startsWith("application/json-patch")) {
      patched = jsonPatched(patched, patch);
    } else {
      throw RefusedException.unsupportedPatch(contentType);
    }
    return replace(path, previous.get(), patched);
  }

  private static ObjectNode jsonPatched(ObjectNode object, JsonNode patch) {
    try {
      return (ObjectNode) JsonPatch.apply(patch, object);
    } catch (JsonPatchException e) {
      throw RefusedException.badRequest("the patch can't be applied: " + e.getMessage());
    }
  }

  private ObjectNode replace(ResourcePath path, Stored previous, ObjectNode object) {
    ObjectNode current = previous.object();
    String basedOn = object.at("/metadata/resourceVersion").asText();
    if (!basedOn.isEmpty() && !basedOn.equals(current.at("/metadata/resourceVersion").asText())) {
      throw RefusedException.modified(path);
    }
    ObjectNode next =
        path.ofStatus()
            ? withStatusOf(current, object)
            : withSpecOf(current, admit(path, object, Optional.of(current)));
    if (next.equals(current)) {
      return current;
    }
    store.replace(previous, next);
    removal.removeIfFinalized(path.object());
    return next;
  }

  private static ObjectNode withStatusOf(ObjectNode current, ObjectNode written) {
    ObjectNode next = current.deepCopy();
    if (written.has("status")) {
      next.set("status", written.get("status"));
    } else {
      next.remove("status");
    }
    return next;
  }

  private static ObjectNode withSpecOf(ObjectNode current, ObjectNode written) {
    required(written);
    // Through text, as what is stored went: numbers of another Java type aren't another number.
    ObjectNode next = Serialization.unmarshal(Serialization.asJson(written), ObjectNode.class);
    next.remove("status");
    if (current.has("status")) {
      next.set("status", current.get("status"));
    }
    ObjectNode metadata = next.withObject("/metadata");
    metadata.set("resourceVersion", current.at("/metadata/resourceVersion"));
    for (String field : SERVER_METADATA) {
      JsonNode value = current.get("metadata").get(field);
      if (value == null) {
        metadata.remove(field);
      } else {
        metadata.set(field, value);
      }
    }
    if (!specification(next).equals(specification(current))) {
      metadata.put("generation", metadata.path("generation").asLong() + 1);
    }
    return next;
  }

  /** Everything whose change is a new generation. */
  private static ObjectNode specification(ObjectNode object) {
    return object.deepCopy().without(List.of("metadata", "status"));
  }

  private ObjectNode admit(ResourcePath path, ObjectNode object, Optional<JsonNode> previous) {
    return path.ofFineTuneJob() ? (ObjectNode) admission.admit(object, previous) : object;
  }

  private static void required(ObjectNode object) {
    for (String field : List.of("apiVersion", "kind", "metadata")) {
      if (!object.hasNonNull(field)) {
        throw RefusedException.badRequest("the object has no " + field);
      }
    }
    JsonNode metadata = object.get("metadata");
    if (!metadata.hasNonNull("name") && !metadata.hasNonNull("generateName")) {
      throw RefusedException.badRequest("name or generateName is required");
    }
  }
}
