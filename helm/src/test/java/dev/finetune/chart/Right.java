package dev.finetune.chart;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One verb on one resource.
 *
 * @param resource with its subresource behind a slash
 */
record Right(String verb, String group, String resource) {
  /** All that some rules permit. */
  static Set<Right> of(List<PolicyRule> rules) {
    return rules.stream()
        .flatMap(
            rule ->
                rule.getApiGroups().stream()
                    .flatMap(
                        group ->
                            rule.getResources().stream()
                                .flatMap(
                                    resource ->
                                        rule.getVerbs().stream()
                                            .map(verb -> new Right(verb, group, resource)))))
        .collect(Collectors.toSet());
  }

  /** What an audit event asked for. */
  static Right of(JsonNode event) {
    JsonNode object = event.get("objectRef");
    String subresource = object.path("subresource").asText();
    return new Right(
        event.get("verb").asText(),
        object.path("apiGroup").asText(),
        object.get("resource").asText() + (subresource.isEmpty() ? "" : "/" + subresource));
  }

  @Override
  public String toString() {
    return verb + " " + resource + (group.isEmpty() ? "" : "." + group);
  }
}
