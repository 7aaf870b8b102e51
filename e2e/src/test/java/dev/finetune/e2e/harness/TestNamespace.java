package dev.finetune.e2e.harness;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A namespace for one test: it enforces the restricted Pod Security level and has the claims that
 * the examples name. After the test it is deleted; where the test failed, its state and the logs
 * are kept in target/e2e-logs.
 */
public final class TestNamespace implements BeforeEachCallback, AfterEachCallback {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String EXAMPLE_CLAIMS = "../examples/pvc.yaml";
  private static final String VOLUME_LABEL = "e2e.finetune.dev/namespace";

  private final TestCluster cluster;
  private String name;
  private Path results;
  private Waits waits;
  private FineTuneJobs jobs;
  private Instant start;

  public TestNamespace(TestCluster cluster) {
    this.cluster = cluster;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** The folder behind the claim results, on this machine. */
  public Path results() {
    return results;
  }

  /** Its FineTuneJobs. */
  public FineTuneJobs jobs() {
    return jobs;
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    start = Instant.now();
    name =
        "%s-%04x"
            .formatted(
                context.getRequiredTestClass().getSimpleName().toLowerCase(Locale.ROOT),
                ThreadLocalRandom.current().nextInt(0x10000));
    KubernetesClient client = cluster.client();
    client
        .resource(
            new NamespaceBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                .endMetadata()
                .build())
        .create();
    results = cluster.shared().newResults(name);
    volume("models", cluster.shared().models());
    volume("data", cluster.shared().data());
    volume("results", results);
    cluster.kubectl().run("apply", "-n", name, "-f", EXAMPLE_CLAIMS);
    waits = new Waits(client, name);
    jobs = new FineTuneJobs(client, name, waits);
  }

  /** A volume for one claim of examples/pvc.yaml: a folder that all nodes have. */
  private void volume(String claim, Path folder) {
    cluster
        .client()
        .resource(
            new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(name + "-" + claim)
                .addToLabels(VOLUME_LABEL, name)
                .endMetadata()
                .withNewSpec()
                .withCapacity(Map.of("storage", new Quantity("1Ti")))
                .withAccessModes("ReadWriteMany")
                .withPersistentVolumeReclaimPolicy("Retain")
                .withStorageClassName(cluster.defaultStorageClass())
                .withNewClaimRef()
                .withNamespace(name)
                .withName(claim)
                .endClaimRef()
                .withNewHostPath(folder.toString(), "Directory")
                .endSpec()
                .build())
        .create();
  }

  /** Waits until what is read fulfils an assertion, and returns it. */
  public <T> T await(String what, Supplier<T> read, Consumer<T> assertion) {
    return await(what, PATIENCE, read, assertion);
  }

  /** As {@link #await(String, Supplier, Consumer)}, for what takes longer. */
  public <T> T await(String what, Duration patience, Supplier<T> read, Consumer<T> assertion) {
    return waits.until(what, patience, read, assertion);
  }

  /**
   * Waits until the reasons of the Events of one FineTuneJob, in their order, fulfil an assertion.
   * The operator writes an Event beside the status that it tells of, so it may come later.
   */
  public void awaitEvents(String job, Consumer<List<String>> assertion) {
    await("Events of " + job, () -> eventReasons(job), assertion);
  }

  /**
   * Reasons of the Events of one FineTuneJob in their order, as far as they are written: one that
   * shall be there is waited for by {@link #awaitEvents}; that none is there says something only
   * once an Event of something later has come.
   */
  public List<String> eventReasons(String job) {
    return cluster.client().events().v1().events().inNamespace(name).list().getItems().stream()
        .filter(event -> "FineTuneJob".equals(event.getRegarding().getKind()))
        .filter(event -> job.equals(event.getRegarding().getName()))
        .sorted(Comparator.comparing(event -> event.getEventTime().getTime()))
        .map(Event::getReason)
        .toList();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    String test = context.getRequiredTestClass().getSimpleName() + "." + context.getDisplayName();
    KubernetesClient client = cluster.client();
    if (context.getExecutionException().isPresent()) {
      Evidence.write(
          client,
          name,
          cluster.operator().logs(),
          cluster.settings().logs().resolve(test.replaceAll("[^A-Za-z0-9.]", "")));
    }
    client.namespaces().withName(name).delete();
    client.persistentVolumes().withLabel(VOLUME_LABEL, name).delete();
    // The next test shall find the nodes' processors and GPUs free.
    waits.until(
        "the pods of " + name + " are gone",
        PATIENCE,
        () -> client.pods().inNamespace(name).list().getItems(),
        pods -> assertThat(pods).isEmpty());
    System.out.printf(
        Locale.ROOT,
        "%6.1f s  %s%n",
        Duration.between(start, Instant.now()).toMillis() / 1000.0,
        test);
  }
}
