package dev.finetune.local;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code local run}: applies manifests and tells what becomes of them. */
@Command(
    name = "run",
    description = {
      "Starts a cluster, applies manifests and shows the status of every FineTuneJob until all have"
          + " ended.",
      "The exit code is 0 only if all of them succeeded."
    },
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  private static final long LOOK_MILLIS = 300;

  @Spec private CommandSpec spec;
  @Mixin private ClusterOptions options;

  @Option(
      names = "--apply",
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description = "Manifests to apply.")
  private List<Path> manifests;

  @Option(
      names = "--bar",
      negatable = true,
      description = "Draw a progress bar, which needs a terminal. Default: a line per tenth.")
  private boolean bar;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    StoryConsole console = new StoryConsole(out, bar, Instant.now());
    try (EmbeddedCluster cluster = options.start()) {
      Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
      console.line("cluster    " + cluster.url());
      try (OperatorThread operator = OperatorThread.start(cluster.url(), options.operatorLog())) {
        return tell(cluster.client(), operator, console);
      }
    } catch (KubernetesClientException e) {
      console.end();
      spec.commandLine().getErr().println("refused: " + words(e));
      return 1;
    } finally {
      out.flush();
    }
  }

  private int tell(KubernetesClient client, OperatorThread operator, StoryConsole console)
      throws IOException, InterruptedException {
    Map<String, StatusStory> stories = new LinkedHashMap<>();
    for (String job : new Manifests(client).apply(manifests)) {
      console.line("applied    FineTuneJob " + job);
      stories.put(job, new StatusStory(job, console));
    }
    boolean ended = stories.isEmpty();
    while (!ended) {
      Thread.sleep(LOOK_MILLIS);
      Optional<String> failure = operator.failure();
      if (operator.stopping() || failure.isPresent()) {
        console.end();
        failure.ifPresent(this::operatorEnded);
        return 1;
      }
      ended = true;
      for (var story : stories.entrySet()) {
        FineTuneJob job = job(client, story.getKey());
        story.getValue().look(job);
        ended &= ended(job);
      }
    }
    console.end();
    return report(client, stories.keySet().stream().toList());
  }

  private void operatorEnded(String reason) {
    spec.commandLine()
        .getErr()
        .println("the operator ended: " + reason + "; see " + options.operatorLog());
  }

  private int report(KubernetesClient client, List<String> jobs) {
    PrintWriter out = spec.commandLine().getOut();
    boolean succeeded = true;
    for (String name : jobs) {
      FineTuneJob job = job(client, name);
      out.printf("%n# kubectl get finetunejob %s -o yaml%n", name);
      out.print(Serialization.asYaml(Map.of("status", job.getStatus())).replaceFirst("^---\n", ""));
      if (job.getStatus().phase() != Phase.SUCCEEDED) {
        succeeded = false;
        out.printf(
            "%nThe logs: %s of the operator, %s/*/log of the trainer.%n",
            options.operatorLog(), options.pods());
      }
    }
    return succeeded ? 0 : 1;
  }

  private static FineTuneJob job(KubernetesClient client, String name) {
    return client.resources(FineTuneJob.class).inNamespace("default").withName(name).get();
  }

  private static boolean ended(FineTuneJob job) {
    FineTuneJobStatus status = job.getStatus();
    return status != null && (status.phase() == Phase.SUCCEEDED || status.phase() == Phase.FAILED);
  }

  private static String words(KubernetesClientException e) {
    return e.getStatus() == null ? e.getMessage() : e.getStatus().getMessage();
  }
}
