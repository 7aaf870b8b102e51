package dev.finetune.api.generate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** The reference of FineTuneJob as Markdown: every field of the CRD, and what a status can say. */
final class ReferencePage {
  private final StringBuilder page = new StringBuilder();

  private ReferencePage() {}

  /** The page of a CRD. */
  static String of(JsonNode crd) {
    return new ReferencePage().write(crd);
  }

  private String write(JsonNode crd) {
    JsonNode schema = crd.at("/spec/versions/0/schema/openAPIV3Schema");
    line(
        "<!-- Generated from the API types of the Maven module crds; CONTRIBUTING.md says how. -->");
    line("# FineTuneJob");
    line("");
    line(
        "`%s/%s`, short name `%s`. %s"
            .formatted(
                crd.at("/spec/group").asText(),
                crd.at("/spec/versions/0/name").asText(),
                crd.at("/spec/names/shortNames/0").asText(),
                schema.get("description").asText()));
    line(
        "`kubectl explain ftj.spec.recipe --recursive` shows the same in a terminal. A default applies"
            + " where the field is absent or null; a field in **bold** is required.");
    rules("metadata", schema);
    object("spec", schema.at("/properties/spec"));
    object("status", schema.at("/properties/status"));
    vocabulary();
    return page.toString();
  }

  /** A table of an object's fields, then one of each object among them. */
  private void object(String path, JsonNode schema) {
    line("");
    line("## " + path);
    line("");
    line("| field | type | default | allowed | what it says |");
    line("| --- | --- | --- | --- | --- |");
    List<String> required = texts(schema.path("required"));
    schema
        .path("properties")
        .properties()
        .forEach(field -> row(field.getKey(), field.getValue(), required));
    rules(path, schema);
    schema
        .path("properties")
        .properties()
        .forEach(
            field -> {
              JsonNode nested = element(field.getValue());
              if (nested.has("properties")) {
                object(path + "." + field.getKey() + suffix(field.getValue()), nested);
              }
            });
  }

  private void row(String name, JsonNode field, List<String> required) {
    String code = "`" + name + "`";
    line(
        "| %s | %s | %s | %s | %s |"
            .formatted(
                required.contains(name) ? "**" + code + "**" : code,
                type(field),
                field.has("default") ? "`" + field.get("default") + "`" : "",
                escape(String.join("; ", allowed(field))),
                escape(field.path("description").asText())));
  }

  private static String type(JsonNode field) {
    if (field.path("x-kubernetes-int-or-string").asBoolean()) {
      return "quantity";
    } else if (field.has("items")) {
      return "list of " + type(field.get("items"));
    } else if (field.has("additionalProperties")) {
      return "map to " + type(field.get("additionalProperties"));
    }
    return field.get("type").asText();
  }

  /** Values, bounds and form, of the field and of a list's elements. */
  private static List<String> allowed(JsonNode field) {
    List<String> allowed = new ArrayList<>();
    if (field.has("enum")) {
      allowed.add(
          texts(field.get("enum")).stream()
              .map(each -> "`" + each + "`")
              .collect(Collectors.joining(", ")));
    }
    bound(field, "minimum", "exclusiveMinimum", "above ", "at least ", "", allowed);
    bound(field, "maximum", "exclusiveMaximum", "below ", "at most ", "", allowed);
    bound(field, "minLength", "", "", "at least ", " characters", allowed);
    bound(field, "maxLength", "", "", "at most ", " characters", allowed);
    bound(field, "minItems", "", "", "at least ", " items", allowed);
    bound(field, "maxItems", "", "", "at most ", " items", allowed);
    if (field.has("pattern")) {
      allowed.add("`" + field.get("pattern").asText() + "`");
    }
    if (field.has("items") && !field.get("items").has("properties")) {
      allowed(field.get("items")).forEach(each -> allowed.add("each " + each));
    }
    return allowed;
  }

  private static void bound(
      JsonNode field,
      String keyword,
      String exclusiveKeyword,
      String exclusive,
      String inclusive,
      String unit,
      List<String> allowed) {
    if (field.has(keyword)) {
      String words = field.path(exclusiveKeyword).asBoolean() ? exclusive : inclusive;
      allowed.add(words + field.get(keyword).asText() + unit);
    }
  }

  private void rules(String path, JsonNode schema) {
    schema
        .path("x-kubernetes-validations")
        .forEach(
            rule -> {
              line("");
              line("Rule of `" + path + "`: " + rule.get("message").asText() + ".");
            });
  }

  private void vocabulary() {
    line("");
    line("## Conditions");
    line("");
    line("| type | what True means |");
    line("| --- | --- |");
    for (ConditionType type : ConditionType.values()) {
      line("| `" + type + "` | " + type.description() + " |");
    }
    line("");
    line("## Reasons");
    line("");
    line("Of conditions, events and attempts.");
    line("");
    line("| reason | what it means |");
    line("| --- | --- |");
    for (ConditionReason reason : ConditionReason.values()) {
      line("| `" + reason + "` | " + reason.description() + " |");
    }
    line("");
    line("## Exit codes of the trainer");
    line("");
    line("| code | reason | tried again | what happened |");
    line("| --- | --- | --- | --- |");
    for (TrainerExit exit : TrainerExit.values()) {
      line(
          "| %d | `%s` | %s | %s |"
              .formatted(
                  exit.code(), exit.reason(), exit.retryable() ? "yes" : "no", exit.description()));
    }
  }

  private static JsonNode element(JsonNode field) {
    return field.has("items") ? field.get("items") : field;
  }

  private static String suffix(JsonNode field) {
    return field.has("items") ? "[]" : "";
  }

  private static List<String> texts(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }

  /** A bar would end the cell. */
  private static String escape(String text) {
    return text.replace("|", "\\|");
  }

  private void line(String line) {
    page.append(line).append('\n');
  }
}
