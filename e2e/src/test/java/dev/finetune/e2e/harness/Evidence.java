package dev.finetune.e2e.harness;

import static java.util.Comparator.comparing;
import static java.util.Comparator.naturalOrder;
import static java.util.Comparator.nullsFirst;

import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a namespace looks like, for a failure's text and its folder of logs. */
final class Evidence {
  private static final int LAST_LINES = 10;

  private Evidence() {}

  /** FineTuneJobs, events and pods, with the last lines of each pod's log. */
  static String of(KubernetesClient client, String namespace) {
    try {
      var text = new StringBuilder("What is in namespace " + namespace + ":\n");
      var serialization = client.getKubernetesSerialization();
      for (FineTuneJob job : jobs(client, namespace)) {
        text.append("FineTuneJob ").append(job.getMetadata().getName()).append('\n');
        text.append(serialization.asYaml(job.getStatus()));
      }
      for (Event event : events(client, namespace)) {
        text.append(line(event)).append('\n');
      }
      for (Pod pod : client.pods().inNamespace(namespace).list().getItems()) {
        text.append("Pod ").append(pod.getMetadata().getName()).append('\n');
        text.append(serialization.asYaml(pod.getStatus()));
        text.append(log(client, pod, LAST_LINES));
      }
      return text.toString();
    } catch (KubernetesClientException e) {
      return "The API server doesn't say what is in namespace " + namespace + ": " + e;
    }
  }

  /** The same and the pods' whole logs, as files. */
  static void write(KubernetesClient client, String namespace, String operatorLog, Path folder) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("namespace.txt"), of(client, namespace));
      Files.writeString(folder.resolve("operator.log"), operatorLog);
      for (Pod pod : client.pods().inNamespace(namespace).list().getItems()) {
        Files.writeString(
            folder.resolve(pod.getMetadata().getName() + ".log"),
            log(client, pod, Integer.MAX_VALUE));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<FineTuneJob> jobs(KubernetesClient client, String namespace) {
    return client.resources(FineTuneJob.class).inNamespace(namespace).list().getItems();
  }

  private static List<Event> events(KubernetesClient client, String namespace) {
    return client.events().v1().events().inNamespace(namespace).list().getItems().stream()
        .sorted(
            comparing(
                event -> event.getMetadata().getCreationTimestamp(), nullsFirst(naturalOrder())))
        .toList();
  }

  private static String line(Event event) {
    return String.join(
        "  ",
        event.getMetadata().getCreationTimestamp(),
        event.getRegarding().getKind() + "/" + event.getRegarding().getName(),
        event.getReason(),
        String.valueOf(event.getNote()));
  }

  private static String log(KubernetesClient client, Pod pod, int lines) {
    try {
      return client.pods().resource(pod).tailingLines(lines).getLog();
    } catch (KubernetesClientException e) {
      return "no log: " + e.getMessage() + "\n";
    }
  }
}
