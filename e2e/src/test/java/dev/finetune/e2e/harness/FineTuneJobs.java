package dev.finetune.e2e.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The FineTuneJobs of one namespace, as a user handles them, and what became of them. */
public final class FineTuneJobs {
  /** The label of a FineTuneJob's children, which holds its name. */
  public static final String JOB_LABEL = "finetune.dev/job";

  private static final String ATTEMPT_LABEL = "finetune.dev/attempt";

  /** Kubernetes' own, of an Indexed Job's pods. */
  private static final String INDEX_LABEL = "batch.kubernetes.io/job-completion-index";

  /** For what takes seconds on a quiet machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final KubernetesClient client;
  private final String namespace;
  private final Waits waits;

  FineTuneJobs(KubernetesClient client, String namespace, Waits waits) {
    this.client = client;
    this.namespace = namespace;
    this.waits = waits;
  }

  /** Creates a job. */
  public void apply(Manifest manifest) {
    client.resource(manifest.resource()).inNamespace(namespace).create();
  }

  /** A job as the API server has it. */
  public FineTuneJob get(String name) {
    return resource(name).require();
  }

  /** Applies a JSON merge patch, as {@code kubectl patch --type=merge}. */
  public void patch(String name, String patch) {
    resource(name).patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  /** Sets {@code spec.suspend}. */
  public void suspend(String name, boolean suspend) {
    patch(name, "{\"spec\":{\"suspend\":" + suspend + "}}");
  }

  /** The resource of one job, for all that is not above. */
  public Resource<FineTuneJob> resource(String name) {
    return client.resources(FineTuneJob.class).inNamespace(namespace).withName(name);
  }

  /** The Jobs of a FineTuneJob's attempts. */
  public List<Job> attemptJobs(String name) {
    return client
        .batch()
        .v1()
        .jobs()
        .inNamespace(namespace)
        .withLabel(JOB_LABEL, name)
        .list()
        .getItems();
  }

  /** The pods of all attempts of a FineTuneJob. */
  public List<Pod> pods(String name) {
    return client.pods().inNamespace(namespace).withLabel(JOB_LABEL, name).list().getItems();
  }

  /** The pod of one attempt. */
  public Pod pod(String name, int attempt) {
    List<Pod> pods =
        client
            .pods()
            .inNamespace(namespace)
            .withLabels(Map.of(JOB_LABEL, name, ATTEMPT_LABEL, String.valueOf(attempt)))
            .list()
            .getItems();
    assertThat(pods).as("pods of attempt %d of %s", attempt, name).hasSize(1);
    return pods.get(0);
  }

  /** The pod of one node of an attempt, by its number from 0. */
  public Pod pod(String name, int attempt, int node) {
    return pods(name).stream()
        .filter(pod -> label(pod, ATTEMPT_LABEL).equals(String.valueOf(attempt)))
        .filter(pod -> label(pod, INDEX_LABEL).equals(String.valueOf(node)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no pod " + node + " of attempt " + attempt));
  }

  private static String label(Pod pod, String name) {
    return pod.getMetadata().getLabels().getOrDefault(name, "");
  }

  /** Whatever of a FineTuneJob's children is there, as KIND/NAME. */
  public List<String> children(String name) {
    return List.of(
            client.configMaps().inNamespace(namespace).withLabel(JOB_LABEL, name).list(),
            client.services().inNamespace(namespace).withLabel(JOB_LABEL, name).list(),
            client.batch().v1().jobs().inNamespace(namespace).withLabel(JOB_LABEL, name).list(),
            client.pods().inNamespace(namespace).withLabel(JOB_LABEL, name).list())
        .stream()
        .flatMap(list -> list.getItems().stream())
        .map(HasMetadata.class::cast)
        .map(child -> child.getKind() + "/" + child.getMetadata().getName())
        .toList();
  }

  /** Waits until a FineTuneJob has neither Job nor pod, and so holds no GPU. */
  public void awaitNoPods(String name) {
    waits.until(
        "Jobs and pods of " + name + " are gone",
        PATIENCE,
        () -> children(name),
        children ->
            assertThat(children)
                .noneMatch(child -> child.startsWith("Job/") || child.startsWith("Pod/")));
  }

  /** Waits until a job has reached a phase, and returns its status. */
  public FineTuneJobStatus awaitPhase(String name, Phase phase) {
    return awaitStatus(name, status -> assertThat(status.phase()).isEqualTo(phase));
  }

  /** Waits until a job has done this many steps, and returns its status. */
  public FineTuneJobStatus awaitStep(String name, int step) {
    return awaitStatus(
        name,
        status -> {
          assertThat(status.training()).isNotNull();
          assertThat(status.training().step()).isGreaterThanOrEqualTo(step);
        });
  }

  /** Waits until a job has a checkpoint, and returns its status. */
  public FineTuneJobStatus awaitCheckpoint(String name) {
    return awaitStatus(
        name,
        status -> {
          assertThat(status.checkpoints()).isNotNull();
          assertThat(status.checkpoints().latest()).isNotNull();
        });
  }

  /** Waits until a job's attempt of this number trains, and returns its status. */
  public FineTuneJobStatus awaitAttempt(String name, int number) {
    return awaitAttempt(name, number, PATIENCE);
  }

  /** As {@link #awaitAttempt(String, int)}, for what takes longer. */
  public FineTuneJobStatus awaitAttempt(String name, int number, Duration patience) {
    return awaitStatus(
        name,
        patience,
        status -> {
          assertThat(status.attempts()).isNotEmpty();
          Attempt last = last(status);
          assertThat(last.number()).isEqualTo(number);
          assertThat(last.resumedFromStep()).isNotNull();
        });
  }

  /** Waits until a job has a status that fulfils an assertion, and returns it. */
  public FineTuneJobStatus awaitStatus(String name, Consumer<FineTuneJobStatus> assertion) {
    return awaitStatus(name, PATIENCE, assertion);
  }

  /** As {@link #awaitStatus(String, Consumer)}, for what takes longer. */
  public FineTuneJobStatus awaitStatus(
      String name, Duration patience, Consumer<FineTuneJobStatus> assertion) {
    return waits
        .until("FineTuneJob " + name, patience, () -> get(name), job -> check(name, job, assertion))
        .getStatus();
  }

  /** An ended job's status is its last: where it doesn't fulfil the assertion none will. */
  private static void check(String name, FineTuneJob job, Consumer<FineTuneJobStatus> assertion) {
    assertThat(job.getStatus()).isNotNull();
    try {
      assertion.accept(job.getStatus());
    } catch (AssertionError e) {
      Phase phase = job.getStatus().phase();
      if (phase == Phase.SUCCEEDED || phase == Phase.FAILED) {
        throw new Waits.EndedException(name + " has ended: " + e.getMessage(), e);
      }
      throw e;
    }
  }

  /** The last attempt. */
  public static Attempt last(FineTuneJobStatus status) {
    return status.attempts().get(status.attempts().size() - 1);
  }

  /** A condition by its type. */
  public static Condition condition(FineTuneJobStatus status, String type) {
    return status.conditions().stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no condition " + type));
  }
}
