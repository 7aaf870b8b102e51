package dev.finetune.operator.check;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/**
 * Shows that an installed operator works, without a GPU, a model or a pod: it answers, and a
 * suspended FineTuneJob gets its status. The job is deleted again in any case.
 */
final class InstallationCheck {
  private static final String MANIFEST = "/check/finetunejob.yaml";
  private static final String READY = "/q/health/ready";
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final KubernetesClient client;
  private final URI operator;
  private final String namespace;
  private final Duration patience;

  /**
   * Prepares a check.
   *
   * @param operator where the operator's health is served, without a path
   * @param namespace one that the operator serves
   * @param patience longest wait for each of the operator's answers
   */
  InstallationCheck(KubernetesClient client, URI operator, String namespace, Duration patience) {
    this.client = client;
    this.operator = operator;
    this.namespace = namespace;
    this.patience = patience;
  }

  /** Checks; returns if the installation works. */
  void run() throws CheckFailedException, InterruptedException {
    awaitReady();
    Resource<FineTuneJob> job = client.resource(create());
    try {
      awaitStatus(job);
    } finally {
      job.delete();
    }
  }

  private void awaitReady() throws CheckFailedException, InterruptedException {
    long deadline = deadline();
    String found = ready();
    while (!found.isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new CheckFailedException(
            "the operator isn't ready at %s: %s; look at its pods and their logs"
                .formatted(operator.resolve(READY), found));
      }
      Thread.sleep(PAUSE.toMillis());
      found = ready();
    }
  }

  /** What is wrong with the operator's readiness; empty if nothing is. */
  private String ready() throws InterruptedException {
    var request = HttpRequest.newBuilder(operator.resolve(READY)).timeout(patience).build();
    try {
      var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
      return answer.statusCode() == HttpURLConnection.HTTP_OK
          ? ""
          : "HTTP " + answer.statusCode() + " " + answer.body();
    } catch (IOException e) {
      return e.toString();
    }
  }

  private FineTuneJob create() throws CheckFailedException {
    try (InputStream manifest = InstallationCheck.class.getResourceAsStream(MANIFEST)) {
      FineTuneJob job = client.getKubernetesSerialization().unmarshal(manifest, FineTuneJob.class);
      return client.resource(job).inNamespace(namespace).create();
    } catch (KubernetesClientException e) {
      throw new CheckFailedException(
          "the API server didn't take a FineTuneJob in namespace %s: %s"
              .formatted(namespace, words(e)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The client's own message is empty of facts where no answer came, or none that it can read. */
  private static String words(KubernetesClientException e) {
    return e.getCause() == null ? e.getMessage() : e.getMessage() + " " + e.getCause();
  }

  private void awaitStatus(Resource<FineTuneJob> job)
      throws CheckFailedException, InterruptedException {
    long deadline = deadline();
    while (!suspended(job.get())) {
      if (System.nanoTime() > deadline) {
        throw new CheckFailedException(
            "after %d s the suspended FineTuneJob in namespace %s hasn't got the phase Suspended;"
                    .formatted(patience.toSeconds(), namespace)
                + " see in the operator's logs whether a replica leads, and whether it serves this"
                + " namespace");
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }

  private static boolean suspended(FineTuneJob job) {
    return job != null && job.getStatus() != null && job.getStatus().phase() == Phase.SUSPENDED;
  }

  private long deadline() {
    return System.nanoTime() + patience.toNanos();
  }
}
