package dev.finetune.chart;

import java.util.List;

/** docs/reference/values.md. */
final class ValuesPage {
  private static final String HEAD =
      """
      # Values of the chart

      Generated from [values.yaml](../../helm/finetune-operator/values.yaml); CONTRIBUTING.md says how. A value that is not in this table
      is refused.

      | value | default | meaning |
      |---|---|---|
      """;

  private ValuesPage() {}

  static String of(List<DocumentedValue> values) {
    var page = new StringBuilder(HEAD);
    for (DocumentedValue value : values) {
      page.append(
          "| `%s` | `%s` | %s |\n".formatted(value.path(), value.preset(), value.comment()));
    }
    return page.toString();
  }
}
