package dev.finetune.e2e.harness;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the tests run; Maven sets the system properties.
 *
 * @param kubeconfig of a cluster's administrator
 * @param scripts the folder e2e/cluster where the cluster is our own; empty on any other
 * @param state the own cluster's state folder
 * @param bin folder of kubectl
 * @param chart the operator's Helm chart
 * @param shared a folder that lies at the same path on this machine and on every node
 * @param logs folder for what is collected of a failed test
 */
record Settings(
    Path kubeconfig,
    Optional<Path> scripts,
    Path state,
    Path bin,
    Path chart,
    Path shared,
    Path logs) {

  static Settings ofTheBuild() {
    Path kubeconfig = path("e2e.kubeconfig").orElseThrow(() -> missing("e2e.kubeconfig"));
    if (!Files.isReadable(kubeconfig)) {
      throw new IllegalStateException(
          "The kubeconfig "
              + kubeconfig
              + " is not there. mvn -Pe2e verify starts a cluster and writes it; to run a test from"
              + " an IDE start one by hand: e2e/cluster/up.sh");
    }
    Path state = path("e2e.state").orElse(Path.of("target/cluster"));
    return new Settings(
        kubeconfig,
        path("e2e.cluster"),
        state,
        path("e2e.bin").orElse(Path.of("target/bin")),
        path("e2e.chart").orElse(Path.of("../helm/finetune-operator")),
        path("e2e.shared").orElseGet(() -> state.resolve("shared")).toAbsolutePath().normalize(),
        Path.of("target/e2e-logs"));
  }

  private static Optional<Path> path(String property) {
    return Optional.ofNullable(System.getProperty(property))
        .filter(value -> !value.isBlank())
        .map(Path::of);
  }

  private static IllegalStateException missing(String property) {
    return new IllegalStateException(
        "The system property " + property + " is not set; run the tests with mvn -Pe2e verify");
  }
}
