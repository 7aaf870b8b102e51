package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Container;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * What takes the place of container images: for each image name, without registry, tag and digest,
 * its entrypoint, or a folder with the programs that it would hold.
 *
 * @param programs programs or folders by image name
 */
public record LocalImages(Map<String, Path> programs) {

  /** A defensive copy. */
  public LocalImages {
    programs = Map.copyOf(programs);
  }

  /** Whether there is something for the container's image. */
  boolean have(Container container) {
    return programs.containsKey(name(container.getImage()));
  }

  /**
   * The command line of a container whose image is here.
   *
   * @param rewrite turns a path of the container into one of this machine; the image's program is
   *     one already, and may lie where the container has a mount, such as below /tmp
   */
  List<String> commandLine(Container container, UnaryOperator<String> rewrite) {
    Path image = programs.get(name(container.getImage()));
    List<String> line = new ArrayList<>(container.getCommand());
    line.addAll(container.getArgs());
    line.replaceAll(rewrite);
    if (container.getCommand().isEmpty()) {
      line.add(0, image.toString());
      return line;
    }
    Path program = image.resolve(container.getCommand().get(0));
    if (Files.isExecutable(program)) {
      line.set(0, program.toString());
    }
    return line;
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
