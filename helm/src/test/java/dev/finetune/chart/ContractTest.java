package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.operator.reconcile.FineTuneJobReconciler;
import dev.finetune.operator.resources.Labels;
import dev.finetune.operator.resources.TrainerContainer;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quarkiverse.operatorsdk.annotations.RBACRule;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** What the chart repeats of other parts of the project is what they say. */
class ContractTest {
  private static final Chart CHART = Chart.ofTests();

  @Test
  void theChartHasTheBuildsVersion() {
    JsonNode chart = CHART.yaml("Chart.yaml");

    assertThat(chart.get("version").asText()).isEqualTo(System.getProperty("project.version"));
    assertThat(chart.get("appVersion").asText()).isEqualTo(System.getProperty("project.version"));
  }

  @Test
  void theCrdIsTheGeneratedOneAndStaysUnlessToldOtherwise() {
    JsonNode generated = Chart.parse(CHART.text("files/finetunejobs.finetune.dev-v1.yml")).get(0);
    JsonNode kept = CHART.object(Variant.named("default").values(), "CustomResourceDefinition");
    JsonNode unkept =
        CHART.object(Variant.named("everything").values(), "CustomResourceDefinition");

    assertThat(kept.get("spec")).isEqualTo(generated.get("spec"));
    assertThat(kept.at("/metadata/annotations/helm.sh~1resource-policy").asText())
        .isEqualTo("keep");
    assertThat(unkept.get("spec")).isEqualTo(generated.get("spec"));
    assertThat(unkept.at("/metadata/annotations").isMissingNode()).isTrue();
  }

  @Test
  void trainersAreFoundByTheirLabelAndTheirPort() {
    var values = Variant.named("everything").values();
    JsonNode monitor = CHART.object(values, "PodMonitor").get("spec");
    List<JsonNode> policies =
        CHART.objects(values).stream()
            .filter(each -> each.get("kind").asText().equals("NetworkPolicy"))
            .filter(each -> each.at("/metadata/namespace").asText().equals("team-a"))
            .toList();

    assertThat(monitor.at("/selector/matchExpressions/0/key").asText()).isEqualTo(Labels.JOB);
    assertThat(texts(monitor.get("podTargetLabels"))).containsExactly(Labels.JOB, Labels.ATTEMPT);
    assertThat(monitor.at("/podMetricsEndpoints/0/port").asText())
        .isEqualTo(TrainerContainer.PROGRESS_PORT);
    assertThat(policies).hasSize(1);
    JsonNode policy = policies.get(0).get("spec");
    assertThat(policy.at("/podSelector/matchExpressions/0/key").asText()).isEqualTo(Labels.JOB);
    assertThat(policy.at("/ingress/0/ports/0/port").asText())
        .isEqualTo(TrainerContainer.PROGRESS_PORT);
  }

  @Test
  void trainersReachEachOtherOnEveryPortAndNobodyElseDoes() {
    JsonNode policy =
        CHART.objects(Variant.named("everything").values()).stream()
            .filter(each -> each.get("kind").asText().equals("NetworkPolicy"))
            .filter(each -> each.at("/metadata/namespace").asText().equals("team-a"))
            .findFirst()
            .orElseThrow()
            .get("spec");
    JsonNode between = policy.at("/ingress/1");

    assertThat(policy.get("ingress")).hasSize(2);
    assertThat(between.get("from")).hasSize(1);
    assertThat(between.at("/from/0/podSelector")).isEqualTo(policy.get("podSelector"));
    assertThat(between.at("/from/0").has("namespaceSelector"))
        .as("pods of the same namespace only")
        .isFalse();
    assertThat(between.at("/ports/0/port").asInt()).isEqualTo(1);
    assertThat(between.at("/ports/0/endPort").asInt()).isEqualTo(65535);
  }

  @Test
  void theDocumentationListsTheOperatorsRights() {
    assertThat(OperationsPage.of(Path.of("../docs/operations.md")).rights())
        .isEqualTo(operatorsRights());
  }

  @Test
  void theReconcilersAnnotationsNameTheSameRightsOnWhatIsNoFineTuneJob() {
    Set<Right> chart = operatorsRights();
    chart.removeIf(right -> right.group().equals("finetune.dev"));
    Set<Right> annotated =
        Stream.of(FineTuneJobReconciler.class.getAnnotationsByType(RBACRule.class))
            .map(
                rule ->
                    new PolicyRuleBuilder()
                        .withApiGroups(rule.apiGroups())
                        .withResources(rule.resources())
                        .withVerbs(rule.verbs())
                        .build())
            .flatMap(rule -> Right.of(List.of(rule)).stream())
            // In the operator's own namespace, by a Role of its own.
            .filter(right -> !right.resource().equals("leases"))
            .collect(Collectors.toSet());

    assertThat(annotated).isEqualTo(chart);
  }

  private static Set<Right> operatorsRights() {
    JsonNode role =
        CHART.objects(Variant.named("namespaced").values()).stream()
            .filter(each -> each.get("kind").asText().equals("Role"))
            .filter(each -> each.at("/metadata/namespace").asText().equals("team-a"))
            .findFirst()
            .orElseThrow();
    return Right.of(Serialization.unmarshal(role.toString(), Role.class).getRules());
  }

  @Test
  void theDashboardArrivesAsItIsWritten() {
    JsonNode map = CHART.object(Variant.named("everything").values(), "ConfigMap");

    assertThat(Chart.parse(map.at("/data/finetune-operator.json").asText()))
        .isEqualTo(Chart.parse(CHART.text("files/dashboard.json")));
    assertThat(map.at("/metadata/labels/grafana_dashboard").asText()).isEqualTo("1");
    assertThat(map.at("/metadata/annotations/grafana_folder").asText()).isEqualTo("Training");
  }

  private static List<String> texts(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }
}
