package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Phase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Alerts and dashboard ask for what there is, and the documentation says what to do. */
class MonitoringTest {
  private static final Chart CHART = Chart.ofTests();
  private static final OperationsPage PAGE = OperationsPage.of(Path.of("../docs/operations.md"));

  /** A metric is a word with an underscore that is followed by labels, a range or an operator. */
  private static final Pattern METRIC =
      Pattern.compile("\\b(finetune_|reconciliations_|jvm_)[a-z_]+(?=[\\[{ ]|$)");

  private static final Pattern PHASE = Pattern.compile("phase=\"([A-Za-z]+)\"");
  private static final Pattern REASONS = Pattern.compile("reason!~\"([A-Za-z|]+)\"");

  @Test
  void everyMetricIsInTheTables() {
    List<String> expressions = new ArrayList<>(alertExpressions());
    expressions.addAll(dashboardExpressions());

    assertThat(expressions).hasSizeGreaterThan(25);
    assertThat(found(METRIC, 0, expressions))
        .contains("finetune_jobs", "finetune_training_steps", "reconciliations_failure_total")
        .isSubsetOf(PAGE.series());
  }

  @Test
  void everyPhaseAndEveryReasonExists() {
    Set<String> phases = found(PHASE, 1, alertExpressions());
    Set<String> reasons =
        found(REASONS, 1, alertExpressions()).stream()
            .flatMap(each -> Arrays.stream(each.split("\\|")))
            .collect(Collectors.toSet());

    assertThat(phases).isNotEmpty();
    assertThat(Arrays.stream(Phase.values()).map(Phase::name))
        .containsAll(phases.stream().map(phase -> phase.toUpperCase(Locale.ROOT)).toList());
    assertThat(reasons).isNotEmpty();
    assertThat(Arrays.stream(ConditionReason.values()).map(Enum::name)).containsAll(reasons);
  }

  @Test
  void everyAlertSaysWhatToDoAndHasASectionInTheDocumentation() {
    assertThat(alerts()).hasSizeGreaterThan(5);
    for (JsonNode alert : alerts()) {
      String name = alert.get("alert").asText();
      assertThat(alert.at("/annotations/summary").asText()).as(name).isNotBlank();
      assertThat(alert.at("/annotations/description").asText()).as(name).isNotBlank();
      assertThat(alert.at("/annotations/runbook_url").asText())
          .endsWith("/docs/operations.md#" + name.toLowerCase(Locale.ROOT));
    }
    assertThat(PAGE.headings())
        .containsAll(alerts().stream().map(alert -> alert.get("alert").asText()).toList());
  }

  @Test
  void alertsAskForThisReleaseAndKeepPrometheusTemplates() {
    String rule = CHART.object(Variant.named("everything").values(), "PrometheusRule").toString();

    assertThat(rule)
        .contains("job=\\\"tuner\\\"", "{{ $labels.reason }}")
        .doesNotContain("__JOB__");
  }

  private static List<JsonNode> alerts() {
    return list(CHART.yaml("files/alerts.yaml").at("/groups/0/rules"));
  }

  private static List<String> alertExpressions() {
    return alerts().stream().map(alert -> alert.get("expr").asText()).toList();
  }

  private static List<String> dashboardExpressions() {
    return list(Chart.parse(CHART.text("files/dashboard.json")).get(0).get("panels")).stream()
        .flatMap(panel -> list(panel.path("targets")).stream())
        .map(target -> target.get("expr").asText())
        .toList();
  }

  private static List<JsonNode> list(JsonNode array) {
    var list = new ArrayList<JsonNode>();
    array.forEach(list::add);
    return list;
  }

  private static Set<String> found(Pattern pattern, int group, List<String> texts) {
    return texts.stream()
        .flatMap(text -> pattern.matcher(text).results())
        .map((MatchResult result) -> result.group(group))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
