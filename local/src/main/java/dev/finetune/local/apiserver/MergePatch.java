package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** How a patch changes an object. */
final class MergePatch {
  private MergePatch() {}

  /**
   * A JSON merge patch, RFC 7386: objects are merged, null removes, everything else, lists as well,
   * is replaced.
   */
  static void merge(ObjectNode target, JsonNode patch) {
    for (var field : patch.properties()) {
      JsonNode value = field.getValue();
      if (value.isNull()) {
        target.remove(field.getKey());
      } else if (value.isObject()) {
        JsonNode present = target.get(field.getKey());
        ObjectNode nested =
            present != null && present.isObject()
                ? (ObjectNode) present
                : target.putObject(field.getKey());
        merge(nested, value);
      } else {
        target.set(field.getKey(), value);
      }
    }
  }

  /**
   * Server-side apply as one field manager sees it: each part of the object that the patch names
   * becomes what the patch says, so that a field which is no longer applied goes away. Metadata is
   * merged, since others write there.
   */
  static void apply(ObjectNode target, JsonNode patch) {
    for (var field : patch.properties()) {
      if ("metadata".equals(field.getKey())) {
        merge((ObjectNode) target.get("metadata"), field.getValue());
      } else {
        target.set(field.getKey(), field.getValue());
      }
    }
  }
}
