package dev.finetune.chart;

import com.marcnuri.helm.Helm;
import dev.finetune.operator.support.KubeApiServer;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A release on the tests' API server, installed by Helm. Nothing starts its pods: a test runs the
 * operator as a process, with the environment and the service account that the release gives it.
 */
final class Installation implements AutoCloseable {
  private static final long HOUR_SECONDS = 3600;

  private final KubernetesClient client;
  private final String namespace;
  private final Path kubeconfig;
  private final Path values;

  private Installation(KubeApiServer api, String namespace, String values) {
    this.client = api.client();
    this.namespace = namespace;
    this.kubeconfig = write("kubeconfig", api.kubeconfig());
    this.values = write("values.yaml", values);
  }

  /** Installs the chart beside what the tests' API server has: the CRD. */
  static Installation of(KubeApiServer api, String namespace, String values) {
    String beside = "\ncrds: {enabled: false}\nuserRoles: {create: false}\n";
    return of(api, Chart.ofTests(), namespace, values + beside);
  }

  /**
   * Installs a chart.
   *
   * @param values as YAML
   */
  static Installation of(KubeApiServer api, Chart chart, String namespace, String values) {
    var installation = new Installation(api, namespace, values);
    new Helm(chart.folder())
        .install()
        .withName(Chart.RELEASE)
        .withNamespace(namespace)
        .withKubeConfig(installation.kubeconfig)
        .withValuesFile(installation.values)
        .call();
    return installation;
  }

  /** Upgrades to another chart, with the values of the installation. */
  void upgrade(Chart chart) {
    new Helm(chart.folder())
        .upgrade()
        .withName(Chart.RELEASE)
        .withNamespace(namespace)
        .withKubeConfig(kubeconfig)
        .withValuesFile(values)
        .call();
  }

  /**
   * Runs {@code helm test}, which waits for its pod to end.
   *
   * @return what Helm says of a failure, empty without one
   */
  String test() {
    try {
      Helm.test(Chart.RELEASE).withNamespace(namespace).withKubeConfig(kubeconfig).call();
      return "";
    } catch (IllegalStateException e) {
      return e.getMessage();
    }
  }

  /** A kubeconfig with the token of a service account of the release's namespace. */
  String kubeconfigOf(String serviceAccount) {
    String token =
        client
            .serviceAccounts()
            .inNamespace(namespace)
            .withName(serviceAccount)
            .tokenRequest(
                new TokenRequestBuilder()
                    .withNewSpec()
                    .withExpirationSeconds(HOUR_SECONDS)
                    .endSpec()
                    .build())
            .getStatus()
            .getToken();
    Map<String, Object> cluster =
        Map.of("server", client.getMasterUrl().toString(), "insecure-skip-tls-verify", true);
    return Serialization.asYaml(
        Map.of(
            "apiVersion",
            "v1",
            "kind",
            "Config",
            "clusters",
            List.of(Map.of("name", "test", "cluster", cluster)),
            "users",
            List.of(Map.of("name", "account", "user", Map.of("token", token))),
            "contexts",
            List.of(
                Map.of(
                    "name",
                    "test",
                    "context",
                    Map.of("cluster", "test", "user", "account", "namespace", namespace))),
            "current-context",
            "test"));
  }

  /** The environment of the operator's container. */
  Map<String, String> environment() {
    var environment = new HashMap<String, String>();
    for (EnvVar variable :
        client
            .apps()
            .deployments()
            .inNamespace(namespace)
            .withName(Chart.RELEASE)
            .get()
            .getSpec()
            .getTemplate()
            .getSpec()
            .getContainers()
            .get(0)
            .getEnv()) {
      environment.put(variable.getName(), variable.getValue());
    }
    return environment;
  }

  /** The rules of every role of the release that is bound to the operator. */
  List<PolicyRule> rules() {
    var rules = new ArrayList<PolicyRule>();
    var rbac = client.rbac();
    rbac.roles().inAnyNamespace().list().getItems().stream()
        .filter(role -> released(role.getMetadata().getAnnotations()))
        .forEach(role -> rules.addAll(role.getRules()));
    rbac.clusterRoles().list().getItems().stream()
        .filter(role -> released(role.getMetadata().getAnnotations()))
        .forEach(role -> rules.addAll(role.getRules()));
    return rules;
  }

  private boolean released(Map<String, String> annotations) {
    return annotations != null
        && namespace.equals(annotations.get("meta.helm.sh/release-namespace"));
  }

  @Override
  public void close() {
    Helm.uninstall(Chart.RELEASE).withNamespace(namespace).withKubeConfig(kubeconfig).call();
  }

  private static Path write(String name, String content) {
    try {
      Path file = Files.createTempFile(Path.of("target"), "installation-", "-" + name);
      return Files.writeString(file, content).toAbsolutePath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
