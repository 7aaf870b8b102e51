package dev.finetune.operator.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/** The FineTuneJobs of one namespace, as a user handles them. */
public final class FineTuneJobs {
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final Path MINIMAL =
      Path.of("../operator/src/test/resources/manifests/valid-minimal.yaml");

  private final KubernetesClient client;
  private final String namespace;

  public FineTuneJobs(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /**
   * Creates a small job.
   *
   * @param spec lines of its spec beside the recipe
   */
  public FineTuneJob apply(String name, String... spec) {
    String manifest = Manifests.read(MINIMAL).replace("name: minimal", "name: " + name);
    for (String line : spec) {
      manifest += "  " + line + "\n";
    }
    return client
        .resources(FineTuneJob.class)
        .inNamespace(namespace)
        .resource(client.getKubernetesSerialization().unmarshal(manifest, FineTuneJob.class))
        .create();
  }

  /** A job as the API server has it. */
  public FineTuneJob get(String name) {
    return resource(name).get();
  }

  /** Applies a JSON merge patch. */
  public void edit(String name, String patch) {
    resource(name).patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  /** Waits until a job has a status that fulfils an assertion, and returns the job. */
  public FineTuneJob awaitStatus(String name, Consumer<FineTuneJobStatus> assertion) {
    await("FineTuneJob " + name)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(
            () -> {
              FineTuneJobStatus status = get(name).getStatus();
              assertThat(status).isNotNull();
              assertion.accept(status);
            });
    return get(name);
  }

  /** Waits until a job has reached a phase, and returns the job. */
  public FineTuneJob awaitPhase(String name, Phase phase) {
    return awaitStatus(name, status -> assertThat(status.phase()).isEqualTo(phase));
  }

  /** Waits until a job's status tells of an optimizer step, and returns the job. */
  public FineTuneJob awaitStep(String name, int step) {
    return awaitStatus(
        name,
        status -> {
          assertThat(status.training()).isNotNull();
          assertThat(status.training().step()).isEqualTo(step);
        });
  }

  /** The resource of one job, for all that is not above. */
  public Resource<FineTuneJob> resource(String name) {
    return client.resources(FineTuneJob.class).inNamespace(namespace).withName(name);
  }
}
