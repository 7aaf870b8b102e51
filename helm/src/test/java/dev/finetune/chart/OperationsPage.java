package dev.finetune.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** docs/operations.md, whose tables and headings are compared with the code. */
record OperationsPage(String text) {
  private static final Pattern METRIC =
      Pattern.compile("(?m)^\\| `([a-z_]+)` \\| (gauge|counter|timer) \\|");
  private static final Pattern RIGHTS =
      Pattern.compile("(?m)^\\| `([a-z/]+)` \\| (?:`([a-z0-9.]+)`)? ?\\| ([a-z, ]+) \\|");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ `?(.+?)`?$");

  static OperationsPage of(Path file) {
    try {
      return new OperationsPage(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<String> headings() {
    return HEADING.matcher(text).results().map(heading -> heading.group(1)).toList();
  }

  /** The table of permissions. */
  Set<Right> rights() {
    return RIGHTS
        .matcher(text)
        .results()
        .flatMap(
            row ->
                Stream.of(row.group(3).split(", "))
                    .map(
                        verb ->
                            new Right(
                                verb, Objects.requireNonNullElse(row.group(2), ""), row.group(1))))
        .collect(Collectors.toSet());
  }

  /** The names in the tables of metrics. */
  Set<String> metrics() {
    return METRIC
        .matcher(text)
        .results()
        .map(metric -> metric.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The names under which Prometheus stores them; a timer is a histogram. */
  Set<String> series() {
    return METRIC
        .matcher(text)
        .results()
        .flatMap(
            metric ->
                metric.group(2).equals("timer")
                    ? Stream.of("_count", "_sum", "_bucket", "_max")
                        .map(suffix -> metric.group(1) + suffix)
                    : Stream.of(metric.group(1)))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
