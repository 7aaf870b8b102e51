package dev.finetune.api.generate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A committed file whose content follows from the API types.
 *
 * @param path where it lies, from the repository's root
 * @param content what it should hold
 */
public record GeneratedFile(Path path, String content) {
  /** What brings every file up to date. */
  static final String COMMAND = "mvn -pl crds -Pgenerate process-test-classes";

  /** The CRD's file. */
  static final Path CRD = Path.of("crds", "finetunejobs.finetune.dev-v1.yml");

  /** The chart's copy of it: a chart can hold nothing that lies outside its folder. */
  static final Path CHART =
      Path.of("helm", "finetune-operator", "files").resolve(CRD.getFileName());

  /** The page that the CRD is read on. */
  static final Path REFERENCE = Path.of("docs", "reference", "finetunejob.md");

  /** Every generated file. */
  static List<GeneratedFile> all() {
    return List.of(
        new GeneratedFile(CRD, CustomResourceDefinitionFile.text()),
        new GeneratedFile(CHART, CustomResourceDefinitionFile.text()),
        new GeneratedFile(REFERENCE, ReferencePage.of(CustomResourceDefinitionFile.tree())));
  }

  /** Writes all files below the root that is given; run by the Maven profile generate. */
  public static void main(String[] args) throws IOException {
    for (GeneratedFile file : all()) {
      Path target = Path.of(args[0]).resolve(file.path);
      Files.createDirectories(target.getParent());
      Files.writeString(target, file.content);
    }
  }
}
