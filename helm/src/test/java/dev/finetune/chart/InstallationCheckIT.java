package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * {@code helm test} itself, in a namespace that enforces the restricted Pod Security level. The
 * test plays the kubelet: it runs the command of the pod, with the pod's service account.
 */
class InstallationCheckIT {
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  private static final String POD = Chart.RELEASE + "-test";
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @Test
  void passesWhereAnOperatorServesTheNamespaceAndLeavesNothing() {
    String namespace = restrictedNamespace();
    try (Installation release = Installation.of(API, namespace, "namespaces: [" + namespace + "]");
        OperatorProcess operator = operator(namespace, namespace)) {
      var helmTest = CompletableFuture.supplyAsync(release::test);
      String output = runPod(release, namespace, operator.url());

      assertThat(output).contains("the operator serves the FineTuneJobs of namespace " + namespace);
      assertThat(helmTest.join()).isEmpty();
      assertThat(API.client().resources(FineTuneJob.class).inNamespace(namespace).list().getItems())
          .isEmpty();
      assertThat(API.client().pods().inNamespace(namespace).list().getItems()).isEmpty();
      assertThat(API.client().rbac().roles().inNamespace(namespace).list().getItems())
          .extracting(role -> role.getMetadata().getName())
          .containsExactly(Chart.RELEASE, Chart.RELEASE + "-lease");
    }
  }

  @Test
  void failsAndSaysWhyWhereTheOperatorServesAnotherNamespace() {
    String namespace = restrictedNamespace();
    try (Installation release = Installation.of(API, namespace, "namespaces: [" + namespace + "]");
        OperatorProcess operator = operator(namespace, API.newNamespace())) {
      var helmTest = CompletableFuture.supplyAsync(release::test);
      String output = runPod(release, namespace, operator.url());

      assertThat(output)
          .contains("the suspended FineTuneJob in namespace " + namespace)
          .contains("whether it serves this namespace");
      assertThat(helmTest.join()).contains("pod " + POD + " failed");
      assertThat(API.client().resources(FineTuneJob.class).inNamespace(namespace).list().getItems())
          .isEmpty();
    }
  }

  private static String restrictedNamespace() {
    String namespace = API.newNamespace();
    API.client()
        .namespaces()
        .withName(namespace)
        .edit(
            each -> {
              each.getMetadata()
                  .setLabels(Map.of("pod-security.kubernetes.io/enforce", "restricted"));
              return each;
            });
    return namespace;
  }

  private static OperatorProcess operator(String home, String served) {
    return OperatorProcess.start(
        "check-" + home,
        API.kubeconfig(),
        Map.of("FINETUNE_LEASE_NAMESPACE", home, "FINETUNE_NAMESPACES", served));
  }

  /** Runs the command of the pod of helm test, ends the pod with it, and returns its output. */
  private static String runPod(Installation release, String namespace, String operatorUrl) {
    PodResource resource = API.client().pods().inNamespace(namespace).withName(POD);
    Pod pod = await().atMost(PATIENCE).until(resource::get, Pod.class::isInstance);
    List<String> arguments = new ArrayList<>(pod.getSpec().getContainers().get(0).getArgs());
    assertThat(arguments)
        .containsExactly(
            "check", "http://%s.%s.svc:8080".formatted(Chart.RELEASE, namespace), namespace);
    // The name of a Service means nothing outside a cluster.
    arguments.set(1, operatorUrl);
    try {
      Path kubeconfig = Path.of("target", "check-" + namespace + ".kubeconfig");
      Files.writeString(kubeconfig, release.kubeconfigOf(pod.getSpec().getServiceAccountName()));
      List<String> command =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-jar",
                  OperatorProcess.JAR.toString()));
      command.addAll(arguments);
      var builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("KUBECONFIG", kubeconfig.toAbsolutePath().toString());
      Process process = builder.start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean passed = process.waitFor() == 0;
      resource.editStatus(
          each -> {
            each.getStatus().setPhase(passed ? "Succeeded" : "Failed");
            return each;
          });
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
