package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.resources.Ownership;
import dev.finetune.operator.resources.ResourceNames;
import dev.finetune.operator.resources.TrainerConfigMap;
import dev.finetune.operator.resources.TrainerJob;
import dev.finetune.operator.resources.TrainerService;
import dev.finetune.operator.status.AttemptHistory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.fabric8.kubernetes.client.dsl.Resource;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/** Creates and deletes a FineTuneJob's children. None is ever updated. */
@ApplicationScoped
class Children {
  /** The answers that mean the object itself; any other is the API server's own trouble. */
  private static final Set<Integer> REFUSALS =
      Set.of(
          HttpURLConnection.HTTP_BAD_REQUEST,
          HttpURLConnection.HTTP_FORBIDDEN,
          HttpURLConnection.HTTP_NOT_FOUND,
          RefusedException.UNPROCESSABLE);

  private final KubernetesClient client;
  private final OperatorConfig config;

  Children(KubernetesClient client, OperatorConfig config) {
    this.client = client;
    this.config = config;
  }

  /**
   * Creates what an attempt needs. What is there already stays, so that a pass that was cut short
   * can simply be repeated.
   *
   * @param writeJob does a write of a Job and lets the informer's cache know at once
   * @return the Job's name
   */
  String createAttempt(
      FineTuneJob job, int attempt, BiFunction<Job, UnaryOperator<Job>, Job> writeJob) {
    createRecipe(job);
    TrainerService.desired(job)
        .ifPresent(service -> create(job, service, each -> client.resource(each).create()));
    Job desired = TrainerJob.desired(job, attempt, config);
    create(job, desired, each -> writeJob.apply(each, this::createStrictly));
    return desired.getMetadata().getName();
  }

  /** Deletes an attempt's Job, and through the garbage collector its pods, which get SIGTERM. */
  void deleteJob(FineTuneJob job, String name) {
    client
        .batch()
        .v1()
        .jobs()
        .inNamespace(job.getMetadata().getNamespace())
        .withName(name)
        .withPropagationPolicy(DeletionPropagation.BACKGROUND)
        .delete();
  }

  /**
   * Removes what is left of a job that is done. The Jobs go last: as long as one is there this is
   * tried again.
   */
  void remove(FineTuneJob job, List<String> jobs) {
    String namespace = job.getMetadata().getNamespace();
    removeOwned(
        job, client.configMaps().inNamespace(namespace).withName(ResourceNames.configMap(job)));
    // Also where the spec asks for one node: an earlier attempt may have had more.
    removeOwned(job, client.services().inNamespace(namespace).withName(ResourceNames.service(job)));
    jobs.forEach(name -> deleteJob(job, name));
  }

  private static void removeOwned(FineTuneJob job, Resource<? extends HasMetadata> child) {
    HasMetadata present = child.get();
    if (present != null && Ownership.owns(job, present)) {
      child.delete();
    }
  }

  /** A field that the API server doesn't know is an error, and not silently left out. */
  private Job createStrictly(Job desired) {
    return client.resource(desired).fieldValidation(FieldValidateable.Validation.STRICT).create();
  }

  private void createRecipe(FineTuneJob job) {
    ConfigMap desired = TrainerConfigMap.desired(job);
    ConfigMap present = create(job, desired, each -> client.resource(each).create());
    boolean started = !AttemptHistory.of(job.getStatus()).isEmpty();
    if (!started && !present.getData().equals(desired.getData())) {
      // Left by a pass that got no further; until an attempt has started the recipe may be edited.
      client.resource(present).delete();
      create(job, desired, each -> client.resource(each).create());
    }
  }

  private <T extends HasMetadata> T create(FineTuneJob job, T desired, UnaryOperator<T> creation) {
    try {
      return creation.apply(desired);
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
        return present(job, desired, e);
      }
      throw REFUSALS.contains(e.getCode())
          ? new ChildRefusedException(
              name(desired) + " was refused: " + RefusedException.words(e), e)
          : e;
    }
  }

  private <T extends HasMetadata> T present(
      FineTuneJob job, T desired, KubernetesClientException conflict) {
    T present = client.resource(desired).get();
    if (present == null) {
      // It was deleted in between, or the conflict is another one: the next try will tell.
      throw conflict;
    }
    if (!Ownership.owns(job, present)) {
      throw new ChildRefusedException(
          name(desired)
              + " exists and doesn't belong to this FineTuneJob; delete it, or give the FineTuneJob"
              + " another name",
          conflict);
    }
    return present;
  }

  private static String name(HasMetadata object) {
    return object.getKind() + " " + object.getMetadata().getName();
  }
}
