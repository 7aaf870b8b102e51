package dev.finetune.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The chart's folder and what Helm makes of it.
 *
 * @param module folder of the Maven module, which is the current one in tests
 */
record Chart(Path module) {
  /** Name of every release, and so of every object in it. */
  static final String RELEASE = "finetune-operator";

  /** Namespace of every release that is only rendered. */
  static final String NAMESPACE = "finetune-system";

  /** Helm's library stands for a cluster of version 1.20 otherwise, which the chart refuses. */
  private static final String KUBERNETES = "1.37.2";

  private static final YAMLMapper YAML = new YAMLMapper();

  /** The chart, seen from a test. */
  static Chart ofTests() {
    return new Chart(Path.of(""));
  }

  Path folder() {
    return module.resolve("finetune-operator");
  }

  /** A file's text. */
  String text(String file) {
    try {
      return Files.readString(folder().resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A YAML file's content. */
  JsonNode yaml(String file) {
    return parse(text(file)).get(0);
  }

  /** What {@code helm template} prints for some values. */
  String render(Path values) {
    return new Helm(folder())
        .template()
        .withName(RELEASE)
        .withNamespace(NAMESPACE)
        .withKubeVersion(KUBERNETES)
        .withValuesFile(values)
        .call();
  }

  /** The objects that {@code helm template} prints for some values. */
  List<JsonNode> objects(Path values) {
    return parse(render(values));
  }

  /** The one object of a kind among those for some values. */
  JsonNode object(Path values, String kind) {
    List<JsonNode> found =
        objects(values).stream().filter(each -> each.get("kind").asText().equals(kind)).toList();
    if (found.size() != 1) {
      throw new AssertionError(found.size() + " objects of kind " + kind + " with " + values);
    }
    return found.get(0);
  }

  /** The documents of a YAML text that hold something. */
  static List<JsonNode> parse(String yaml) {
    try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(yaml)) {
      return documents.readAll().stream().filter(JsonNode::isObject).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
