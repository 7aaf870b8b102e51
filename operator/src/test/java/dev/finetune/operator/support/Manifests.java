package dev.finetune.operator.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The manifests that the tests on a real API server apply. */
public final class Manifests {
  private static final Path FOLDER = Path.of("../operator/src/test/resources/manifests");
  private static final Path EXAMPLES = Path.of("../examples");
  private static final String EXPECTATION = "# expect: ";

  private Manifests() {}

  /** The test manifests whose file name begins so. */
  public static Stream<Path> named(String prefix) {
    return list(FOLDER).filter(file -> file.getFileName().toString().startsWith(prefix));
  }

  /** The FineTuneJobs of examples/. */
  public static Stream<Path> examples() {
    return list(EXAMPLES)
        .filter(file -> file.toString().endsWith(".yaml"))
        .filter(file -> read(file).contains("kind: FineTuneJob"));
  }

  /** A manifest's text. */
  public static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the message must contain by which a manifest is refused: its comments {@code expect}. */
  public static List<String> expectations(String manifest) {
    List<String> expectations =
        manifest
            .lines()
            .filter(line -> line.startsWith(EXPECTATION))
            .map(line -> line.substring(EXPECTATION.length()))
            .toList();
    if (expectations.isEmpty()) {
      throw new IllegalArgumentException("no comment '" + EXPECTATION + "' in:\n" + manifest);
    }
    return expectations;
  }

  /** The same tree with numbers in one form: 1, 1.0 and 10E-1 are one number to Kubernetes. */
  public static JsonNode canonical(JsonNode tree) {
    if (tree instanceof ObjectNode object) {
      ObjectNode copy = JsonNodeFactory.instance.objectNode();
      object.properties().forEach(each -> copy.set(each.getKey(), canonical(each.getValue())));
      return copy;
    } else if (tree instanceof ArrayNode array) {
      ArrayNode copy = JsonNodeFactory.instance.arrayNode();
      array.forEach(each -> copy.add(canonical(each)));
      return copy;
    } else if (tree.isNumber()) {
      return DecimalNode.valueOf(
          new BigDecimal(tree.decimalValue().stripTrailingZeros().toPlainString()));
    }
    return tree;
  }

  private static Stream<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
