package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The table of metrics in docs/operations.md is what an operator serves that has led a job. */
class OperatorMetricsIT {
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  @Test
  void areThoseOfTheDocumentation() throws Exception {
    String namespace = API.newNamespace();
    try (OperatorProcess operator =
        OperatorProcess.start(
            "metrics-" + namespace,
            API.kubeconfig(),
            Map.of("FINETUNE_LEASE_NAMESPACE", namespace, "FINETUNE_NAMESPACES", namespace))) {
      JobLife.lead(API.client(), namespace);
      Set<String> served = metrics(operator.url() + "/q/metrics");

      Set<String> documented = OperationsPage.of(Path.of("../docs/operations.md")).metrics();
      documented.removeIf(name -> name.startsWith("finetune_training_"));
      // There from the first failure on.
      documented.remove("reconciliations_failure_total");
      assertThat(served).containsAll(documented);
      served.removeIf(name -> !name.startsWith("finetune_"));
      assertThat(documented).containsAll(served);
    }
  }

  /** Names by their comments; the largest value of a timer has a comment of its own. */
  private static Set<String> metrics(String url) throws Exception {
    // In OpenMetrics' form, the other one, a counter's comment leaves out its suffix.
    var request = HttpRequest.newBuilder(URI.create(url)).header("Accept", "text/plain").build();
    return HttpClient.newHttpClient()
        .send(request, BodyHandlers.ofString())
        .body()
        .lines()
        .filter(line -> line.startsWith("# TYPE "))
        .map(line -> line.split(" ", -1)[2])
        .filter(name -> !name.endsWith("_max"))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
