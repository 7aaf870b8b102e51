package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.operator.support.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What values the chart takes, and what it says to those that it refuses. */
class ValuesSchemaTest {
  private static final Chart CHART = Chart.ofTests();

  static List<Path> refused() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/refused"))) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesInWordsThatNameTheValue(Path values) {
    assertThatThrownBy(() -> CHART.render(values))
        .hasMessageContainingAll(
            Manifests.expectations(Manifests.read(values)).toArray(CharSequence[]::new));
  }

  @Test
  void everyValueHasAComment() {
    List<DocumentedValue> documented = DocumentedValue.all(CHART);

    assertThat(leaves("", CHART.yaml("values.yaml")))
        .allMatch(
            leaf ->
                documented.stream()
                    .anyMatch(
                        value -> leaf.equals(value.path()) || leaf.startsWith(value.path() + ".")),
            "has a comment above it, or above what it is part of");
  }

  @Test
  void everyNameThatTheSchemaKnowsIsInValuesYaml() throws IOException {
    JsonNode schema = Chart.parse(CHART.text("values.schema.json")).get(0);

    assertThat(paths("", schema, schema))
        // Helm's own, for a chart that has this one as a dependency.
        .filteredOn(path -> !path.equals("/global"))
        .allMatch(path -> !CHART.yaml("values.yaml").at(path).isMissingNode(), "is in values.yaml");
  }

  private static List<String> leaves(String path, JsonNode node) {
    if (!node.isObject() || node.isEmpty()) {
      return List.of(path);
    }
    return node.properties().stream()
        .flatMap(
            each ->
                leaves(path.isEmpty() ? each.getKey() : path + "." + each.getKey(), each.getValue())
                    .stream())
        .toList();
  }

  private static List<String> paths(String path, JsonNode schema, JsonNode root) {
    JsonNode resolved =
        schema.has("$ref") ? root.at(schema.get("$ref").asText().substring(1)) : schema;
    var paths = new ArrayList<String>();
    resolved
        .path("properties")
        .properties()
        .forEach(
            each -> {
              String below = path + "/" + each.getKey();
              paths.add(below);
              paths.addAll(paths(below, each.getValue(), root));
            });
    return paths;
  }
}
