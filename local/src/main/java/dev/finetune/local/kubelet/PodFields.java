package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.ObjectFieldSelector;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The downward API, of a pod's metadata. */
final class PodFields {
  private static final Pattern ENTRY = Pattern.compile("metadata\\.(annotations|labels)\\['(.+)']");

  private PodFields() {}

  /**
   * The value of a field; empty for an annotation or a label that the pod hasn't, as in Kubernetes.
   *
   * @throws MountException for a field that isn't known here
   */
  static String value(Pod pod, ObjectFieldSelector selector) throws MountException {
    ObjectMeta metadata = pod.getMetadata();
    String path = selector.getFieldPath();
    Matcher entry = ENTRY.matcher(path);
    if (entry.matches()) {
      Map<String, String> entries =
          entry.group(1).equals("labels") ? metadata.getLabels() : metadata.getAnnotations();
      return entries == null ? "" : entries.getOrDefault(entry.group(2), "");
    }
    return switch (path) {
      case "metadata.name" -> metadata.getName();
      case "metadata.namespace" -> metadata.getNamespace();
      case "metadata.uid" -> metadata.getUid();
      default ->
          throw new MountException("the embedded cluster doesn't know the pod's field " + path);
    };
  }
}
