package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.ShellTrainer;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Quantity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The way of a job that nothing disturbs. */
class LoraJobE2E {
  private static final String TWO_GPUS = "resources: {gpusPerNode: 2, memory: 2Gi}";

  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void kubectlShowsAnExampleFromApplyToItsAdapter() throws Exception {
    Path output = Files.createDirectories(Path.of("target/walkthrough"));
    Process watch =
        CLUSTER.kubectl().start(output.resolve("watch.txt"), "get", "ftj", "-w", "-n", name());
    CLUSTER.kubectl().run("apply", "-n", name(), "-f", "../examples/quickstart.yaml");
    namespace.jobs().awaitPhase("quickstart", Phase.SUCCEEDED);
    namespace.awaitEvents(
        "quickstart", reasons -> assertThat(reasons).containsExactly("Completed"));
    String described = CLUSTER.kubectl().run("describe", "ftj", "quickstart", "-n", name());
    Files.writeString(output.resolve("describe.txt"), described);
    watch.destroy();
    watch.waitFor();

    List<String> lines = Files.readAllLines(output.resolve("watch.txt"));
    assertThat(lines.get(0).split(" +", -1))
        .containsExactly("NAME", "PHASE", "EPOCH", "STEP", "LOSS", "GPUS", "AGE");
    assertThat(lines).anyMatch(line -> line.matches("quickstart +Pending +0 .*"));
    assertThat(lines)
        .anyMatch(line -> line.matches("quickstart +Running +[0-4]\\.\\d/5 +\\d+ +.*"));
    assertThat(lines.get(lines.size() - 1)).matches("quickstart +Succeeded +5/5 +135 +0\\.\\d+ .*");
    assertThat(described)
        .containsSubsequence("Phase:", "Succeeded", "Adapter:  pvc://results/quickstart/adapter")
        .containsSubsequence("Events:", "Completed");
  }

  @Test
  void everyFineTuneJobOfTheExamplesIsAcceptedByTheApiServer() throws IOException {
    var accepted = new ArrayList<String>();
    try (var examples = Files.newDirectoryStream(Path.of("../examples"), "*.yaml")) {
      for (Path example : examples) {
        for (HasMetadata object :
            CLUSTER.client().resourceList(Files.readString(example)).items()) {
          if (object.getKind().equals("FineTuneJob")) {
            CLUSTER.client().resource(object).inNamespace(name()).dryRun().create();
            accepted.add(object.getMetadata().getName());
          }
        }
      }
    }
    assertThat(accepted).contains("quickstart", "support-assistant");
  }

  @Test
  void fourJobsOfTwoGpusEachFillBothNodesAndWriteTheAdapterThatTheShellGives() throws IOException {
    FineTuneJobs jobs = namespace.jobs();
    List<String> names = List.of("lora-a", "lora-b", "lora-c", "lora-d");
    for (String each : names) {
      jobs.apply(Manifest.tiny(each).spec(TWO_GPUS));
    }

    var nodes = new ArrayList<String>();
    for (String each : names) {
      FineTuneJobStatus status = jobs.awaitPhase(each, Phase.SUCCEEDED);
      assertThat(status.attempts()).hasSize(1);
      assertThat(status.training().step()).isEqualTo(40);
      assertThat(status.attempts().get(0).gpuSeconds()).isPositive();
      assertThat(status.result().adapter()).isEqualTo("pvc://results/" + each + "/adapter");
      nodes.add(status.attempts().get(0).node());
      assertThat(jobs.pod(each, 1).getSpec().getContainers().get(0).getResources().getLimits())
          .containsAllEntriesOf(Map.of("nvidia.com/gpu", new Quantity("2")));
    }
    String first = CLUSTER.nodes().get(0);
    String second = CLUSTER.nodes().get(1);
    assertThat(nodes).containsExactlyInAnyOrder(first, first, second, second);

    Path shell = new ShellTrainer(CLUSTER, namespace).run("lora-a", 2);
    for (String file : List.of("adapter/adapter_model.safetensors", "logging.jsonl")) {
      assertThat(namespace.results().resolve("lora-a").resolve(file))
          .hasSameBinaryContentAs(shell.resolve(file));
    }
  }

  private String name() {
    return namespace.name();
  }
}
