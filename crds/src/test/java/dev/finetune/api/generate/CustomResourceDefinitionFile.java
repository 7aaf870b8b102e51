package dev.finetune.api.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobSpec;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.crdv2.generator.CustomResourceInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The CRD of FineTuneJob, generated from the API types by Fabric8's generator, whose output is then
 * put in order: it sorts printer columns by their JSON path and enums by the alphabet, writes whole
 * bounds as fractions, requires no spec, and leaves the fields of a condition without a word.
 */
final class CustomResourceDefinitionFile {
  private static final List<String> COLUMNS =
      List.of(
          "PHASE",
          "EPOCH",
          "STEP",
          "LOSS",
          "GPUS",
          "AGE",
          "NODES",
          "EVAL-LOSS",
          "CHECKPOINT",
          "MESSAGE");

  /** Required by Kubernetes' metav1.Condition, with what it says of them. */
  private static final Map<String, String> CONDITION_FIELDS =
      Map.of(
          "type", "Name of the condition.",
          "status", "True, False or Unknown.",
          "reason", "Why, as one word; the reasons are listed in the reference.",
          "message", "Why, as a sentence; what to do about it.",
          "lastTransitionTime", "When status changed last, RFC 3339.");

  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .build();

  private CustomResourceDefinitionFile() {}

  /** The file's text. */
  static String text() {
    try {
      return "# Generated from the API types of the Maven module crds; CONTRIBUTING.md says how.\n"
          + YAML.writeValueAsString(tree());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The CRD. */
  static ObjectNode tree() {
    ObjectNode crd = fabric8Output();
    ObjectNode version = (ObjectNode) crd.at("/spec/versions/0");
    orderColumns(version);
    ObjectNode schema = (ObjectNode) version.at("/schema/openAPIV3Schema");
    schema.put("description", "Fine-tunes one language model on one data set.");
    schema.putArray("required").add("spec");
    describeConditions((ObjectNode) schema.at("/properties/status/properties/conditions"));
    List<List<String>> enums =
        DeclaredEnums.reachedFrom(FineTuneJobSpec.class, FineTuneJobStatus.class);
    tidy(schema, enums);
    return crd;
  }

  private static ObjectNode fabric8Output() {
    ByteArrayOutputStream yaml = new ByteArrayOutputStream();
    new CRDGenerator()
        .forCRDVersions("v1")
        .withOutput(
            new CRDGenerator.CRDOutput<ByteArrayOutputStream>() {
              @Override
              public ByteArrayOutputStream outputFor(String name) {
                return yaml;
              }

              @Override
              public void close() {}
            })
        .customResources(CustomResourceInfo.fromClass(FineTuneJob.class))
        .generate();
    try {
      return (ObjectNode) YAML.readTree(yaml.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void orderColumns(ObjectNode version) {
    ArrayNode generated = (ArrayNode) version.get("additionalPrinterColumns");
    ArrayNode ordered = version.arrayNode();
    for (String name : COLUMNS) {
      generated.forEach(
          column -> {
            if (column.get("name").asText().equals(name)) {
              ordered.add(column);
            }
          });
    }
    if (ordered.size() != generated.size() || ordered.size() != COLUMNS.size()) {
      throw new IllegalStateException(
          "the printer columns of the API types are not " + COLUMNS + ": " + generated);
    }
    version.set("additionalPrinterColumns", ordered);
  }

  /** A list with a key, so that server-side apply merges conditions of several owners. */
  private static void describeConditions(ObjectNode conditions) {
    conditions
        .put("x-kubernetes-list-type", "map")
        .putArray("x-kubernetes-list-map-keys")
        .add("type");
    ObjectNode item = (ObjectNode) conditions.get("items");
    ArrayNode required = item.putArray("required");
    CONDITION_FIELDS.keySet().stream().sorted().forEach(required::add);
    CONDITION_FIELDS.forEach(
        (name, description) ->
            ((ObjectNode) item.at("/properties/" + name)).put("description", description));
    ((ObjectNode) item.at("/properties/observedGeneration"))
        .put("description", "Generation of the spec that the condition answers.");
  }

  private static void tidy(ObjectNode schema, List<List<String>> enums) {
    for (String bound : List.of("minimum", "maximum")) {
      JsonNode value = schema.get(bound);
      if (value != null && value.isNumber() && value.doubleValue() == value.longValue()) {
        schema.set(bound, LongNode.valueOf(value.longValue()));
      }
    }
    if (schema.get("enum") instanceof ArrayNode values) {
      Set<String> names = new LinkedHashSet<>();
      values.forEach(value -> names.add(value.asText()));
      values.removeAll();
      DeclaredEnums.declaredOrder(names, enums).forEach(name -> values.add(TextNode.valueOf(name)));
    }
    if (schema.has("x-kubernetes-preserve-unknown-fields")) {
      // The generator describes a map's values as objects, and these may be anything.
      schema.remove("additionalProperties");
    }
    schema.path("properties").forEach(property -> tidy((ObjectNode) property, enums));
    if (schema.get("items") instanceof ObjectNode items) {
      tidy(items, enums);
    }
  }
}
