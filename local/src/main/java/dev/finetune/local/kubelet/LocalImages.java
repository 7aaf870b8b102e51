package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Container;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What takes the place of container images: for each image name, without registry, tag and digest,
 * a folder with the programs that it would hold.
 *
 * @param programs folders by image name
 */
public record LocalImages(Map<String, Path> programs) {

  /** A defensive copy. */
  public LocalImages {
    programs = Map.copyOf(programs);
  }

  /** The command line of a container; empty where its image isn't known here. */
  Optional<List<String>> commandLine(Container container) {
    Path folder = programs.get(name(container.getImage()));
    if (folder == null) {
      return Optional.empty();
    }
    List<String> line = new ArrayList<>(container.getCommand());
    line.addAll(container.getArgs());
    if (!line.isEmpty() && Files.isExecutable(folder.resolve(line.get(0)))) {
      line.set(0, folder.resolve(line.get(0)).toString());
    }
    return Optional.of(line);
  }

  /** What there is instead of an image that isn't. */
  String refusal(String image) {
    return "Container image \"%s\" is not present in the embedded cluster, which has: %s"
        .formatted(image, String.join(", ", new TreeSet<>(programs.keySet())));
  }

  private static String name(String image) {
    String path = image.replaceFirst("@.*", "");
    String last = path.substring(path.lastIndexOf('/') + 1);
    return last.replaceFirst(":.*", "");
  }
}
