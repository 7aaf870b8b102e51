package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The trainer as somebody starts it from a shell. */
public final class ShellTrainer {
  private static final Path PROGRAM = Path.of("../trainer-image/bin/trainer");

  private final KubernetesClient client;
  private final SharedFolder shared;
  private final TestNamespace namespace;

  public ShellTrainer(TestCluster cluster, TestNamespace namespace) {
    this.client = cluster.client();
    this.shared = cluster.shared();
    this.namespace = namespace;
  }

  /**
   * Trains by the recipe that the operator gave to a job's pods, with as many ranks and threads,
   * and returns its output folder.
   */
  public Path run(String job, int ranks) {
    try {
      Path folder = Files.createTempDirectory("shell-trainer");
      Path recipe =
          Files.writeString(
              folder.resolve("recipe.yaml"),
              client
                  .configMaps()
                  .inNamespace(namespace.name())
                  .withName(job)
                  .require()
                  .getData()
                  .get("recipe.yaml"));
      Path volumes = Files.createDirectory(folder.resolve("volumes"));
      Files.createSymbolicLink(volumes.resolve("models"), shared.models());
      Files.createSymbolicLink(volumes.resolve("data"), shared.data());
      Command.run(
          List.of(PROGRAM.toString(), "sft", "--recipe", recipe.toString()),
          Map.of(
              "FINETUNE_VOLUMES",
              volumes.toString(),
              "NPROC_PER_NODE",
              String.valueOf(ranks),
              "OMP_NUM_THREADS",
              "1"));
      return volumes.resolve("results").resolve(job);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
