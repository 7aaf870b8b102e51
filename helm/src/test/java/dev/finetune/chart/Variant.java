package dev.finetune.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * One way to install the chart, in a folder of its own: {@code in-values.yaml} and what Helm made
 * of it, {@code out-manifests.yaml}.
 */
record Variant(String name, Path folder) {
  private static final Path FOLDER = Path.of("src", "test", "resources", "variants");

  /** All variants of the tests. */
  static List<Variant> all() {
    return all(Path.of(""));
  }

  static List<Variant> all(Path module) {
    try (Stream<Path> folders = Files.list(module.resolve(FOLDER))) {
      return folders
          .sorted()
          .map(folder -> new Variant(folder.getFileName().toString(), folder))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The variant with a name. */
  static Variant named(String name) {
    return all().stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow();
  }

  Path values() {
    return folder.resolve("in-values.yaml");
  }

  Path golden() {
    return folder.resolve("out-manifests.yaml");
  }

  @Override
  public String toString() {
    return name;
  }
}
