package dev.finetune.images;

import java.nio.file.Path;

/** The images that are built, and where. */
enum Image {
  OPERATOR("operator", "operator"),
  TRAINER_CPU("trainer-image", "trainer-cpu");

  private final Path module;
  private final String fileName;

  Image(String module, String fileName) {
    this.module = Path.of("..", module);
    this.fileName = fileName;
  }

  Path module() {
    return module;
  }

  Path archive() {
    return module.resolve("target/images").resolve(fileName + ".tar");
  }

  /** The list of what is in it, written by {@link ImageSbom}. */
  Path sbom() {
    return module.resolve("target/images").resolve(fileName + ".sbom.json");
  }

  /** What Maven says of the module's dependencies. */
  Path javaSbom() {
    return module.resolve("target/sbom/java.json");
  }
}
