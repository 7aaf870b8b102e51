package dev.finetune.e2e.harness;

import static java.util.stream.Collectors.toCollection;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder that this machine and every node have at the same path: the tiny model and the data of
 * examples/, the tiny model for pictures that the trainer's tests have, with its rows and pictures,
 * and a folder for the results of each namespace.
 */
record SharedFolder(Path path) {
  private static final Path EXAMPLES = Path.of("../examples");
  private static final Path PICTURES =
      Path.of("../trainer-image/src/test/resources/golden/internvl");

  /** Copies models and data to it. */
  static SharedFolder prepare(Path path) {
    for (String claim : List.of("models", "data")) {
      copy(EXAMPLES.resolve(claim), path.resolve(claim));
    }
    copy(
        PICTURES.resolve("tiny-internvl-internlm2/base_orig"),
        path.resolve("models/tiny-internvl"));
    copy(PICTURES.resolve("data"), path.resolve("data/internvl/rows"));
    copy(PICTURES.resolve("images"), path.resolve("data/internvl/images"));
    return new SharedFolder(path);
  }

  Path models() {
    return path.resolve("models");
  }

  Path data() {
    return path.resolve("data");
  }

  /**
   * A new folder that everybody may write to: a hostPath volume keeps its folder's owner, whatever
   * fsGroup the pod has.
   */
  Path newResults(String namespace) {
    try {
      Path results = Files.createDirectories(path.resolve("results").resolve(namespace));
      Files.setPosixFilePermissions(results, PosixFilePermissions.fromString("rwxrwxrwx"));
      return results;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(Path from, Path to) {
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path source : tree.collect(toCollection(ArrayList::new))) {
        Path target = to.resolve(from.relativize(source));
        if (Files.isDirectory(source)) {
          Files.createDirectories(target);
        } else {
          Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The folder " + to + " can't be filled; on a cluster of your own set -De2e.shared", e);
    }
  }
}
