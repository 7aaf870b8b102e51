package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Turns a pod into a process: folder, volumes, address, environment, command line. */
final class PodLauncher {
  private final LocalImages images;
  private final PodVolumes volumes;
  private final PodEnvironment environment;
  private final Path podsFolder;
  private final PodAddresses addresses = new PodAddresses();

  PodLauncher(KubernetesClient client, LocalImages images, PodVolumes volumes, Path podsFolder) {
    this.images = images;
    this.volumes = volumes;
    this.environment = new PodEnvironment(client);
    this.podsFolder = podsFolder;
  }

  /** A container that runs, with where it is and what it has. */
  record Launched(PodProcess process, PodFolder folder, String address) {}

  /**
   * Launches a pod's container.
   *
   * @throws MountException where something that the pod needs isn't there yet
   * @throws IOException where the process can't be started
   */
  Launched launch(Pod pod) throws IOException, MountException {
    Container container = container(pod);
    if (!images.have(container)) {
      throw new MountException(images.refusal(container.getImage()));
    }
    PodFolder folder =
        PodFolder.create(
            podsFolder.resolve(pod.getMetadata().getName() + "_" + pod.getMetadata().getUid()));
    volumes.mount(pod, container, folder);
    String address = addresses.allocate(pod);
    Map<String, String> variables = environment.of(pod, container, address, folder);
    List<String> commandLine = images.commandLine(container, folder::rewrite);
    PodProcess process = PodProcess.start(commandLine, variables, folder.log());
    return new Launched(process, folder, address);
  }

  /** The pod's only container. */
  static Container container(Pod pod) {
    return pod.getSpec().getContainers().get(0);
  }
}
