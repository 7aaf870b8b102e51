package dev.finetune.local.apiserver;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The path of a request, such as {@code /apis/batch/v1/namespaces/default/jobs/tune-1/status}.
 *
 * @param collection the path without the name and what follows it
 * @param group empty for the core group
 * @param namespace null for a cluster-wide list or a kind without namespaces
 * @param plural the kind, as paths name it
 * @param name null for a collection
 * @param subresource null for the object itself
 */
record ResourcePath(
    String collection,
    String group,
    String namespace,
    String plural,
    String name,
    String subresource) {

  private static final Pattern FORM =
      Pattern.compile(
          "(?<collection>/(?:api|apis/(?<group>[^/]+))/[^/]+(?:/namespaces/(?<namespace>[^/]+))?"
              + "/(?<plural>[^/]+))(?:/(?<name>[^/]+))?(?:/(?<subresource>[^/]+))?");

  /** Empty where the path is none of an object or a collection, such as {@code /version}. */
  static Optional<ResourcePath> parse(String pathAndQuery) {
    Matcher matcher = FORM.matcher(pathAndQuery.replaceFirst("\\?.*", ""));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String group = matcher.group("group");
    return Optional.of(
        new ResourcePath(
            matcher.group("collection"),
            group == null ? "" : group,
            matcher.group("namespace"),
            matcher.group("plural"),
            matcher.group("name"),
            matcher.group("subresource")));
  }

  boolean ofStatus() {
    return "status".equals(subresource);
  }

  boolean ofPod() {
    return group.isEmpty() && "pods".equals(plural);
  }

  boolean ofFineTuneJob() {
    return "finetunejobs.finetune.dev".equals(qualified());
  }

  /** The object's own path, without the subresource. */
  String object() {
    return collection + "/" + name;
  }

  /** The kind as messages name it: {@code jobs.batch}, {@code pods}. */
  String qualified() {
    return group.isEmpty() ? plural : plural + "." + group;
  }
}
