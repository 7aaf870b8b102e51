package dev.finetune.trainer.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The chosen checkpoint's adapter in PEFT's format. */
public final class AdapterFolder extends ResultFolder {
  /** Its name in the destination. */
  public static final String NAME = "adapter";

  private static final String README = "README.md";
  private static final List<String> COPIED =
      List.of(
          CheckpointStore.ADAPTER_CONFIG,
          CheckpointStore.ADAPTER_MODEL,
          CheckpointStore.TRAINER_STATE);

  /**
   * Names the place of the result.
   *
   * @param destination the run's destination
   */
  public AdapterFolder(Destination destination) {
    super(destination, NAME);
  }

  @Override
  void writeFrom(StoredCheckpoint chosen, Fence fence) throws IOException {
    Manifest source = Manifest.verify(chosen.folder());
    try (AtomicFolder writing =
        new AtomicFolder(destination().resolve(NAME), Files::newOutputStream, fence)) {
      for (String name : COPIED) {
        Path file = chosen.folder().resolve(name);
        writing.write(name, out -> Files.copy(file, out));
      }
      String readme = ServingGuide.markdown(chosen.folder(), chosen.summary());
      writing.write(README, readme.getBytes(StandardCharsets.UTF_8));
      Manifest written = writing.commit();
      for (String name : COPIED) {
        if (!written.files().get(name).equals(source.files().get(name))) {
          throw new IOException("the copy of " + name + " differs from the checkpoint's");
        }
      }
    }
  }
}
