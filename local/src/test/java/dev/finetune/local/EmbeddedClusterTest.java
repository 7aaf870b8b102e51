package dev.finetune.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.local.kubelet.LocalImages;
import dev.finetune.local.kubelet.Node;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Job controller, scheduler and kubelet together, with shell commands in place of the trainer. */
class EmbeddedClusterTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path data;
  private EmbeddedCluster cluster;
  private KubernetesClient client;

  @BeforeEach
  void start() {
    cluster =
        EmbeddedCluster.start(
            new EmbeddedCluster.Options(
                0,
                data,
                Map.of("models", data.resolve("elsewhere")),
                new LocalImages(Map.of("host", Path.of("/usr/bin"))),
                new Node("local", 0)));
    client = cluster.client();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aJobThatEndsWellIsCompleteAndItsPodKeepsItsLastWords() {
    client
        .resource(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withName("recipe")
                .withNamespace("default")
                .endMetadata()
                .addToData("recipe.yaml", "epochs: 5")
                .build())
        .create();
    client
        .resource(
            new JobBuilder(
                    job(
                        "well",
                        "cat \"$RECIPE\" > \"$LAST_WORDS\"; echo hello > \"$VOLUMES/models/out\""))
                .editSpec()
                .editTemplate()
                .editSpec()
                .editContainer(0)
                .addNewVolumeMount()
                .withName("recipe")
                .withMountPath("/etc/finetune")
                .endVolumeMount()
                .endContainer()
                .addNewVolume()
                .withName("recipe")
                .withNewConfigMap()
                .withName("recipe")
                .endConfigMap()
                .endVolume()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build())
        .create();

    Job job = awaitJob("well", each -> condition(each, "Complete"));

    assertThat(job.getStatus().getSucceeded()).isEqualTo(1);
    assertThat(job.getStatus().getCompletionTime()).isNotBlank();
    ContainerStateTerminated end = terminated(pods("well").get(0));
    assertThat(end.getExitCode()).isZero();
    assertThat(end.getReason()).isEqualTo("Completed");
    assertThat(end.getMessage()).isEqualTo("epochs: 5");
    assertThat(data.resolve("elsewhere/out")).hasContent("hello");
  }

  @Test
  void aJobThatEndsBadlyHasFailedAndItsPodSaysHow() {
    client.resource(job("badly", "echo no such model; exit 66")).create();

    Job job = awaitJob("badly", each -> condition(each, "Failed"));

    assertThat(job.getStatus().getFailed()).isEqualTo(1);
    assertThat(pods("badly")).hasSize(1);
    ContainerStateTerminated end = terminated(pods("badly").get(0));
    assertThat(end.getExitCode()).isEqualTo(66);
    assertThat(end.getReason()).isEqualTo("Error");
    assertThat(end.getMessage()).isEqualTo("no such model");
  }

  @Test
  void everyIndexHasAnAddressARankAndAHostNameOfItsOwn() {
    client
        .resource(
            new JobBuilder(
                    job(
                        "ranks",
                        "echo \"$LISTEN $JOB_COMPLETION_INDEX $HOSTNAME\" > \"$LAST_WORDS\""))
                .editSpec()
                .withCompletions(2)
                .withParallelism(2)
                .endSpec()
                .build())
        .create();

    awaitJob("ranks", each -> condition(each, "Complete"));

    Set<String> addresses = new HashSet<>();
    for (Pod pod : pods("ranks")) {
      String index = pod.getMetadata().getLabels().get("batch.kubernetes.io/job-completion-index");
      String address = pod.getStatus().getPodIP();
      addresses.add(address);
      assertThat(terminated(pod).getMessage().strip())
          .isEqualTo(address + ":8080 " + index + " ranks-" + index);
    }
    assertThat(addresses).hasSize(2).allMatch(address -> address.startsWith("127."));
  }

  @Test
  void ranksLearnTheirNumberAndMeetAtTheAddressOfTheFirst() {
    client
        .resource(
            new JobBuilder(job("meet", "echo \"$NODE_RANK $MASTER_ADDR\" > \"$LAST_WORDS\""))
                .editSpec()
                .withCompletions(3)
                .withParallelism(3)
                .editTemplate()
                .editSpec()
                .withSubdomain("trainer-meet")
                .editContainer(0)
                .addNewEnv()
                .withName("MASTER_ADDR")
                .withValue("meet-0.trainer-meet")
                .endEnv()
                .addNewEnv()
                .withName("NODE_RANK")
                .withNewValueFrom()
                .withNewFieldRef()
                .withFieldPath("metadata.annotations['batch.kubernetes.io/job-completion-index']")
                .endFieldRef()
                .endValueFrom()
                .endEnv()
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build())
        .create();

    awaitJob("meet", each -> condition(each, "Complete"));

    String first =
        pods("meet").stream()
            .filter(pod -> pod.getSpec().getHostname().equals("meet-0"))
            .map(pod -> pod.getStatus().getPodIP())
            .findFirst()
            .orElseThrow();
    assertThat(pods("meet"))
        .extracting(pod -> terminated(pod).getMessage().strip())
        .containsExactlyInAnyOrder("0 " + first, "1 " + first, "2 " + first);
  }

  @Test
  void ranksOfOnePodMeetAtItsOwnAddress() {
    client
        .resource(
            new JobBuilder(job("alone", "echo \"$MASTER_ADDR\" > \"$LAST_WORDS\""))
                .editSpec()
                .editTemplate()
                .editSpec()
                .editContainer(0)
                .addNewEnv()
                .withName("MASTER_ADDR")
                .withValue("127.0.0.1")
                .endEnv()
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build())
        .create();

    awaitJob("alone", each -> condition(each, "Complete"));

    Pod pod = pods("alone").get(0);
    assertThat(terminated(pod).getMessage().strip()).isEqualTo(pod.getStatus().getPodIP());
  }

  @Test
  void aDeletedPodGetsSigtermAndItsEndIsSeenBeforeItGoes() throws InterruptedException {
    client
        .resource(job("patient", "trap 'exit 75' TERM; echo ready; while :; do sleep 0.1; done"))
        .create();
    Pod pod = awaitRunning("patient");
    awaitLog(pod, "ready");
    BlockingQueue<Pod> seen = new LinkedBlockingQueue<>();

    Watch watch = client.resource(pod).watch(new Recorder(seen));
    client.resource(pod).delete();

    Pod ended = seen.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    while (ended != null && terminated(ended) == null) {
      ended = seen.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
    watch.close();
    assertThat(ended).isNotNull();
    assertThat(terminated(ended).getExitCode()).isEqualTo(75);
    await().atMost(PATIENCE).until(() -> client.resource(pod).get() == null);
    assertThat(awaitJob("patient", each -> condition(each, "Failed")).getStatus().getFailed())
        .isEqualTo(1);
  }

  @Test
  void aPodThatIgnoresSigtermIsKilledAfterItsGracePeriod() throws IOException {
    client
        .resource(
            job(
                "stubborn",
                "trap '' TERM; echo $$ > \"$VOLUMES/models/pid\"; while :; do sleep 0.1; done"))
        .create();
    Pod pod = awaitRunning("stubborn");
    ProcessHandle process = process();

    client.batch().v1().jobs().inNamespace("default").withName("stubborn").delete();

    await().atMost(PATIENCE).until(() -> !process.isAlive());
    await().atMost(PATIENCE).until(() -> client.resource(pod).get() == null);
  }

  @Test
  void aPodThatAsksForAGpuStaysPendingWithTheSchedulersWords() {
    client
        .resource(
            new JobBuilder(job("gpus", "exit 0"))
                .editSpec()
                .editTemplate()
                .editSpec()
                .editContainer(0)
                .withNewResources()
                .addToLimits("nvidia.com/gpu", new Quantity("4"))
                .endResources()
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build())
        .create();

    Pod pod =
        await()
            .atMost(PATIENCE)
            .until(
                () -> pods("gpus").stream().findFirst().orElse(null),
                each -> each != null && !each.getStatus().getConditions().isEmpty());

    assertThat(pod.getStatus().getPhase()).isEqualTo("Pending");
    PodCondition scheduled = pod.getStatus().getConditions().get(0);
    assertThat(scheduled.getStatus()).isEqualTo("False");
    assertThat(scheduled.getReason()).isEqualTo("Unschedulable");
    assertThat(scheduled.getMessage())
        .isEqualTo("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.");
  }

  @Test
  void anUnknownImageSaysWhichThereAre() {
    Job job = job("strange", "exit 0");
    job.getSpec().getTemplate().getSpec().getContainers().get(0).setImage("ghcr.io/a/other:1");
    client.resource(job).create();

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(pods("strange"))
                    .flatExtracting(pod -> pod.getStatus().getContainerStatuses())
                    .extracting(status -> status.getState().getWaiting().getMessage())
                    .containsExactly(
                        "Container image \"ghcr.io/a/other:1\" is not present in the embedded"
                            + " cluster, which has: host"));
  }

  @Test
  void noProcessOutlivesTheCluster() throws IOException {
    client
        .resource(job("endless", "echo $$ > \"$VOLUMES/models/pid\"; while :; do sleep 0.1; done"))
        .create();
    awaitRunning("endless");
    ProcessHandle process = process();

    cluster.close();

    assertThat(process.isAlive()).isFalse();
  }

  private ProcessHandle process() throws IOException {
    Path file = data.resolve("elsewhere/pid");
    await().atMost(PATIENCE).until(() -> Files.exists(file) && Files.size(file) > 1);
    return ProcessHandle.of(Long.parseLong(Files.readString(file).strip())).orElseThrow();
  }

  private Pod awaitRunning(String job) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> pods(job).stream().findFirst().orElse(null),
            pod -> pod != null && "Running".equals(pod.getStatus().getPhase()));
  }

  private void awaitLog(Pod pod, String text) {
    String folder = pod.getMetadata().getName() + "_" + pod.getMetadata().getUid();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                Files.readString(data.resolve("pods").resolve(folder).resolve("log"))
                    .contains(text));
  }

  private Job awaitJob(String name, Predicate<Job> reached) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> client.batch().v1().jobs().inNamespace("default").withName(name).get(),
            job -> job != null && reached.test(job));
  }

  private List<Pod> pods(String job) {
    return client
        .pods()
        .inNamespace("default")
        .withLabel("batch.kubernetes.io/job-name", job)
        .list()
        .getItems();
  }

  private static ContainerStateTerminated terminated(Pod pod) {
    return pod.getStatus().getContainerStatuses().get(0).getState().getTerminated();
  }

  private static boolean condition(Job job, String type) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream().anyMatch(each -> type.equals(each.getType()));
  }

  private static Job job(String name, String script) {
    return new JobBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("default")
        .endMetadata()
        .withNewSpec()
        .withCompletionMode("Indexed")
        .withCompletions(1)
        .withParallelism(1)
        .withBackoffLimit(0)
        .withNewTemplate()
        .withNewSpec()
        .withTerminationGracePeriodSeconds(2L)
        .addNewContainer()
        .withName("main")
        .withImage("registry.example/host:1")
        .withCommand("sh")
        .withArgs("-c", script)
        .addNewEnv()
        .withName("LISTEN")
        .withValue("0.0.0.0:8080")
        .endEnv()
        .addNewEnv()
        .withName("RECIPE")
        .withValue("/etc/finetune/recipe.yaml")
        .endEnv()
        .addNewEnv()
        .withName("VOLUMES")
        .withValue("/mnt/volumes")
        .endEnv()
        .addNewEnv()
        .withName("LAST_WORDS")
        .withValue("/dev/termination-log")
        .endEnv()
        .addNewPort()
        .withContainerPort(8080)
        .endPort()
        .withTerminationMessagePath("/dev/termination-log")
        .withTerminationMessagePolicy("FallbackToLogsOnError")
        .addNewVolumeMount()
        .withName("models")
        .withMountPath("/mnt/volumes/models")
        .endVolumeMount()
        .endContainer()
        .addNewVolume()
        .withName("models")
        .withNewPersistentVolumeClaim()
        .withClaimName("models")
        .endPersistentVolumeClaim()
        .endVolume()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  private record Recorder(BlockingQueue<Pod> seen) implements Watcher<Pod> {
    @Override
    public void eventReceived(Action action, Pod pod) {
      seen.add(pod);
    }

    @Override
    public void onClose(WatcherException cause) {}
  }
}
