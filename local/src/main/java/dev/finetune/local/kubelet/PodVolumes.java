package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Lays out the volumes of pods. */
final class PodVolumes {
  private final KubernetesClient client;
  private final Path claimsFolder;
  private final Map<String, Path> claims;

  /**
   * Makes it.
   *
   * @param claimsFolder where the folders of claims lie that have no folder named for them
   * @param claims folders of claims by name
   */
  PodVolumes(KubernetesClient client, Path claimsFolder, Map<String, Path> claims) {
    this.client = client;
    this.claimsFolder = claimsFolder;
    this.claims = Map.copyOf(claims);
  }

  /**
   * Fills the folder of a pod.
   *
   * @throws MountException where a volume isn't there yet, or is of a kind that isn't supported
   */
  void mount(Pod pod, Container container, PodFolder folder) throws IOException, MountException {
    Map<String, Volume> volumes = new HashMap<>();
    pod.getSpec().getVolumes().forEach(volume -> volumes.put(volume.getName(), volume));
    for (VolumeMount mount : container.getVolumeMounts()) {
      Volume volume = volumes.get(mount.getName());
      if (volume == null) {
        throw new MountException("volume \"" + mount.getName() + "\" is not in the pod's volumes");
      }
      mount(pod, volume, mount.getMountPath(), folder);
    }
    folder.terminationMessage(container);
  }

  private void mount(Pod pod, Volume volume, String mountPath, PodFolder folder)
      throws IOException, MountException {
    if (volume.getConfigMap() != null) {
      write(configMap(pod, volume), folder.directory(mountPath));
    } else if (volume.getPersistentVolumeClaim() != null) {
      folder.link(mountPath, claim(volume.getPersistentVolumeClaim().getClaimName()));
    } else if (volume.getEmptyDir() != null) {
      folder.directory(mountPath);
    } else {
      throw new MountException(
          "volume \""
              + volume.getName()
              + "\" is of a kind that the embedded cluster doesn't have; it has ConfigMaps, claims"
              + " and emptyDir");
    }
  }

  private ConfigMap configMap(Pod pod, Volume volume) throws MountException {
    String name = volume.getConfigMap().getName();
    String namespace = pod.getMetadata().getNamespace();
    return Optional.ofNullable(client.configMaps().inNamespace(namespace).withName(name).get())
        .orElseThrow(() -> new MountException("configmap \"" + name + "\" not found"));
  }

  private static void write(ConfigMap map, Path folder) throws IOException {
    for (var entry : map.getData().entrySet()) {
      Files.writeString(folder.resolve(entry.getKey()), entry.getValue());
    }
  }

  /** A claim needs no object here: its folder is made when a pod first asks for it. */
  private Path claim(String name) throws IOException {
    Path folder = claims.getOrDefault(name, claimsFolder.resolve(name));
    return Files.isDirectory(folder) ? folder : Files.createDirectories(folder);
  }
}
