package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The models and rows that the golden traces were made with. */
final class GoldenFiles {
  static final Path FOLDER = Path.of("src/test/resources/golden").toAbsolutePath();
  static final ObjectMapper JSON = new ObjectMapper();

  private GoldenFiles() {}

  static Path base(String model) {
    return FOLDER.resolve(model).resolve("base");
  }

  static JsonNode json(String path) throws IOException {
    return JSON.readTree(FOLDER.resolve(path).toFile());
  }

  /** The first rows of train.json or eval.json, as a file of their own. */
  static Path rows(String name, int count, Path folder) throws IOException {
    ArrayNode first = JSON.createArrayNode();
    json("rows/" + name).forEach(row -> addUpTo(first, row, count));
    Path file = folder.resolve(name);
    Files.write(file, JSON.writeValueAsBytes(first));
    return file;
  }

  private static void addUpTo(ArrayNode rows, JsonNode row, int count) {
    if (rows.size() < count) {
      rows.add(row);
    }
  }

  /** A copy of a model that a test can break. */
  static Path copy(String model, Path folder) throws IOException {
    Path copy = Files.createDirectory(folder.resolve("model"));
    try (Stream<Path> files = Files.list(base(model))) {
      for (Path file : files.sorted(Comparator.naturalOrder()).toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    return copy;
  }

  /** The lines of a logging.jsonl. */
  static List<JsonNode> log(Path destination) throws IOException {
    return Files.readAllLines(destination.resolve("logging.jsonl")).stream()
        .map(GoldenFiles::parse)
        .toList();
  }

  /** Whether a run has logged a step so far. */
  static boolean hasStep(Path destination, int step) {
    Path file = destination.resolve("logging.jsonl");
    try {
      return Files.exists(file) && Files.readString(file).contains("{\"step\":" + step + ",");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new AssertionError(line, e);
    }
  }
}
