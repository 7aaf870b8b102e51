package dev.finetune.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A committed file that follows from the chart.
 *
 * @param path where it lies
 * @param content what it should hold
 */
public record GoldenFile(Path path, String content) {
  /** What brings every file up to date. */
  static final String COMMAND = "mvn -pl helm -am -Pgenerate process-test-classes";

  private static final String SEPARATOR = "---\n";

  /** Whole files that the chart puts in as they are; they have tests of their own. */
  private static final List<String> LEFT_OUT =
      List.of("templates/crd.yaml", "templates/monitoring/dashboard.yaml");

  /** Every golden file. */
  static List<GoldenFile> all() {
    return all(Path.of(""));
  }

  private static List<GoldenFile> all(Path module) {
    var chart = new Chart(module);
    var files = new ArrayList<GoldenFile>();
    for (Variant variant : Variant.all(module)) {
      files.add(new GoldenFile(variant.golden(), manifests(chart, variant)));
    }
    Path reference = module.resolve("../docs/reference/values.md");
    files.add(new GoldenFile(reference, ValuesPage.of(DocumentedValue.all(chart))));
    return files;
  }

  /** Without the version, so that a release changes no golden file. */
  private static String manifests(Chart chart, Variant variant) {
    String version = chart.yaml("Chart.yaml").get("version").asText();
    return Arrays.stream(chart.render(variant.values()).split("(?m)^" + SEPARATOR))
        .filter(document -> LEFT_OUT.stream().noneMatch(document::contains))
        .map(document -> document.replace(version, "VERSION"))
        .collect(Collectors.joining(SEPARATOR));
  }

  /** Writes all files of the module that is given; run by the Maven profile generate. */
  public static void main(String[] args) throws IOException {
    for (GoldenFile file : all(Path.of(args[0]))) {
      Files.writeString(file.path, file.content);
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
