package dev.finetune.trainer.checkpoint;

import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.LazyTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import dev.finetune.trainer.safetensors.TensorCast;
import dev.finetune.trainer.safetensors.TensorType;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A complete model in Hugging Face's layout: the base model with the weights that the chosen
 * checkpoint trained, each in the type that it has in the base model. A head that is tied to the
 * embedding trained with it, so it stays tied and config.json stays as it is.
 */
public final class TunedModelFolder extends ResultFolder {
  /** Its name in the destination. */
  public static final String NAME = "model";

  /** As transformers cuts: 5 GB. */
  private static final long SHARD_BYTES = 5_000_000_000L;

  /** What belongs to a model beside its weights. */
  private static final Pattern COPIED =
      Pattern.compile(
          "config\\.json|generation_config\\.json|tokenizer.*|special_tokens_map\\.json"
              + "|added_tokens\\.json|vocab\\..*|merges\\.txt|chat_template\\..*|LICENSE.*");

  private final ModelFolder base;
  private final long shardBytes;

  /**
   * Names the place of the result.
   *
   * @param destination the run's destination
   * @param base the model that was tuned
   */
  public TunedModelFolder(Destination destination, ModelFolder base) {
    this(destination, base, SHARD_BYTES);
  }

  /**
   * @param shardBytes most bytes of a file, unless a single weight has more
   */
  TunedModelFolder(Destination destination, ModelFolder base, long shardBytes) {
    super(destination, NAME);
    this.base = base;
    this.shardBytes = shardBytes;
  }

  @Override
  void writeFrom(StoredCheckpoint chosen, Fence fence) throws IOException {
    Manifest.verify(chosen.folder());
    List<Map<String, LazyTensor>> shards = shards(weights(chosen));
    try (AtomicFolder writing =
        new AtomicFolder(destination().resolve(NAME), Files::newOutputStream, fence)) {
      for (Path file : AtomicFolder.children(base.path())) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file) && COPIED.matcher(name).matches()) {
          writing.write(name, out -> Files.copy(file, out));
        }
      }
      Path state = chosen.folder().resolve(CheckpointStore.TRAINER_STATE);
      writing.write(CheckpointStore.TRAINER_STATE, out -> Files.copy(state, out));
      for (int i = 0; i < shards.size(); i++) {
        Map<String, LazyTensor> shard = shards.get(i);
        writing.write(
            shardName(i, shards.size()),
            out -> SafetensorsWriter.writeLazily(Channels.newChannel(out), shard));
      }
      if (shards.size() > 1) {
        writing.write("model.safetensors.index.json", Json.bytes(index(shards)));
      }
      writing.commit();
    }
  }

  private Map<String, LazyTensor> weights(StoredCheckpoint chosen) {
    Map<String, HostTensor> tuned = SafetensorsReader.read(chosen.tensors());
    Map<String, LazyTensor> weights = new LinkedHashMap<>();
    base.tensors()
        .forEach(
            (name, original) -> {
              HostTensor values = tuned.get(name);
              TensorType type = TensorType.valueOf(original.dtype());
              weights.put(
                  name,
                  values == null
                      ? LazyTensor.of(original)
                      : new LazyTensor(type, original.shape(), () -> TensorCast.to(type, values)));
            });
    return weights;
  }

  private List<Map<String, LazyTensor>> shards(Map<String, LazyTensor> weights) {
    List<Map<String, LazyTensor>> shards = new ArrayList<>();
    long room = 0;
    for (Map.Entry<String, LazyTensor> weight : weights.entrySet()) {
      long bytes = weight.getValue().bytes();
      if (shards.isEmpty() || bytes > room) {
        shards.add(new LinkedHashMap<>());
        room = shardBytes;
      }
      shards.get(shards.size() - 1).put(weight.getKey(), weight.getValue());
      room -= bytes;
    }
    return shards;
  }

  private static String shardName(int index, int count) {
    return count == 1
        ? "model.safetensors"
        : "model-%05d-of-%05d.safetensors".formatted(index + 1, count);
  }

  private static Map<String, Object> index(List<Map<String, LazyTensor>> shards) {
    long total =
        shards.stream()
            .flatMap(shard -> shard.values().stream())
            .mapToLong(LazyTensor::bytes)
            .sum();
    Map<String, String> files = new TreeMap<>();
    for (int i = 0; i < shards.size(); i++) {
      String file = shardName(i, shards.size());
      shards.get(i).keySet().forEach(name -> files.put(name, file));
    }
    Map<String, Object> index = new LinkedHashMap<>();
    index.put("metadata", Map.of("total_size", total));
    index.put("weight_map", files);
    return index;
  }
}
