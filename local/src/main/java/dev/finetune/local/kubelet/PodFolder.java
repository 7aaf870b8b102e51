package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Container;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A pod's part of the file system. Below {@code rootfs} lies what the container would see at the
 * same path: folders for ConfigMaps and empty volumes, links to the claims' folders. A process
 * isn't confined to it, so paths that lie in a mount are rewritten before the process gets them.
 */
final class PodFolder {
  /** What Kubernetes keeps of a termination message. */
  private static final int LONGEST_MESSAGE = 4096;

  /** What Kubernetes takes from the log instead of a message. */
  private static final int LONGEST_LOG_TAIL = 2048;

  private final Path folder;
  private final List<String> mountPaths = new ArrayList<>();

  private PodFolder(Path folder) {
    this.folder = folder;
  }

  static PodFolder create(Path folder) throws IOException {
    Files.createDirectories(folder.resolve("rootfs"));
    return new PodFolder(folder);
  }

  /** Makes a folder of the pod's own at a path of the container. */
  Path directory(String mountPath) throws IOException {
    mountPaths.add(mountPath);
    return Files.createDirectories(real(mountPath));
  }

  /** Lets a folder of this machine appear at a path of the container. */
  void link(String mountPath, Path target) throws IOException {
    mountPaths.add(mountPath);
    Files.createDirectories(real(mountPath).getParent());
    // A try before, cut short by a volume that wasn't there yet, may have left it.
    Files.deleteIfExists(real(mountPath));
    Files.createSymbolicLink(real(mountPath), target.toAbsolutePath());
  }

  /** Makes the file to which a container writes its last words. */
  void terminationMessage(Container container) throws IOException {
    mountPaths.add(container.getTerminationMessagePath());
    Path file = real(container.getTerminationMessagePath());
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[0]);
  }

  /** The last words; of a failed container that left none the end of its log, where it asks so. */
  String lastWords(Container container, int exitCode) throws IOException {
    String words =
        head(Files.readAllBytes(real(container.getTerminationMessagePath())), LONGEST_MESSAGE);
    boolean fallBack =
        "FallbackToLogsOnError".equals(container.getTerminationMessagePolicy()) && exitCode != 0;
    return words.isEmpty() && fallBack ? tail(Files.readAllBytes(log())) : words;
  }

  Path log() {
    return folder.resolve("log");
  }

  /**
   * A value with the container's paths replaced by this machine's. A path is one of the container's
   * if it lies in a mount, or if mounts lie in it. Also the part after an option's equals sign.
   */
  String rewrite(String value) {
    int equals = value.startsWith("--") ? value.indexOf('=') + 1 : 0;
    String path = value.substring(equals);
    return ofContainer(path) ? value.substring(0, equals) + real(path) : value;
  }

  private boolean ofContainer(String path) {
    if (!path.startsWith("/") || "/".equals(path)) {
      return false;
    }
    Path asked = Path.of(path);
    return mountPaths.stream()
        .map(Path::of)
        .anyMatch(mount -> asked.startsWith(mount) || mount.startsWith(asked));
  }

  private Path real(String containerPath) {
    return folder.resolve("rootfs").resolve(containerPath.substring(1)).toAbsolutePath();
  }

  private static String head(byte[] bytes, int limit) {
    return new String(bytes, 0, Math.min(bytes.length, limit), StandardCharsets.UTF_8);
  }

  private static String tail(byte[] bytes) {
    int length = Math.min(bytes.length, LONGEST_LOG_TAIL);
    return new String(bytes, bytes.length - length, length, StandardCharsets.UTF_8).strip();
  }
}
