package dev.finetune.trainer.checkpoint;

import dev.finetune.trainer.export.ModelExport;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * A complete model in Hugging Face's layout: the base model with the weights that the chosen
 * checkpoint trained, each in the type that it has in the base model. A head that is tied to the
 * embedding trained with it, so it stays tied and config.json stays as it is.
 */
public final class TunedModelFolder extends ResultFolder {
  /** Its name in the destination. */
  public static final String NAME = "model";

  private final ModelFolder base;
  private final OptionalLong shardBytes;

  /**
   * Names the place of the result.
   *
   * @param destination the run's destination
   * @param base the model that was tuned
   */
  public TunedModelFolder(Destination destination, ModelFolder base) {
    this(destination, base, OptionalLong.empty());
  }

  /**
   * @param shardBytes most bytes of a file, instead of the usual ones
   */
  TunedModelFolder(Destination destination, ModelFolder base, OptionalLong shardBytes) {
    super(destination, NAME);
    this.base = base;
    this.shardBytes = shardBytes;
  }

  @Override
  void writeFrom(StoredCheckpoint chosen, Fence fence) throws IOException {
    Manifest.verify(chosen.folder());
    try (TunedWeights tuned = new TunedWeights(SafetensorsReader.read(chosen.tensors()));
        AtomicFolder writing =
            new AtomicFolder(destination().resolve(NAME), Files::newOutputStream, fence)) {
      export(tuned).writeTo((name, content) -> writing.write(name, content::writeTo));
      Path state = chosen.folder().resolve(CheckpointStore.TRAINER_STATE);
      writing.write(CheckpointStore.TRAINER_STATE, out -> Files.copy(state, out));
      writing.commit();
    }
  }

  private ModelExport export(TunedWeights tuned) {
    return shardBytes.isPresent()
        ? new ModelExport(base, tuned, shardBytes.getAsLong())
        : new ModelExport(base, tuned);
  }
}
