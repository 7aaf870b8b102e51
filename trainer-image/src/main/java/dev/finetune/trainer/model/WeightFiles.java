package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.safetensors.SafetensorsHeader;
import dev.finetune.trainer.safetensors.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Finds a folder's weights: model.safetensors, or the shards that its index names. */
final class WeightFiles {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private WeightFiles() {}

  /**
   * Reads the headers of all weight files.
   *
   * @return where each weight lies, by its name
   */
  static Map<String, WeightLocation> locate(Path folder) {
    if (Files.exists(folder.resolve(SINGLE))) {
      return locate(folder, Set.of(SINGLE));
    }
    Path index = folder.resolve(INDEX);
    if (Files.exists(index)) {
      Map<String, WeightLocation> found = locate(folder, shards(index));
      checkIndex(index, found);
      return found;
    }
    throw new TrainerException(TrainerExit.MODEL, absence(folder));
  }

  private static String absence(Path folder) {
    boolean pickle =
        Files.exists(folder.resolve("pytorch_model.bin"))
            || Files.exists(folder.resolve("pytorch_model.bin.index.json"));
    if (pickle) {
      return folder
          + " has its weights only as pytorch_model.bin, a pickle, which can run any code when read"
          + " and is therefore not read; save the model again as safetensors"
          + " (save_pretrained(..., safe_serialization=True))";
    }
    return "%s has neither %s nor %s".formatted(folder, SINGLE, INDEX);
  }

  private static Map<String, WeightLocation> locate(Path folder, Set<String> names) {
    Map<String, WeightLocation> found = new LinkedHashMap<>();
    for (String name : names) {
      Path file = folder.resolve(name);
      for (TensorEntry entry : SafetensorsHeader.read(file).values()) {
        WeightLocation other = found.put(entry.name(), new WeightLocation(file, entry));
        if (other != null) {
          throw new TrainerException(
              TrainerExit.MODEL,
              "%s is in %s and in %s".formatted(entry.name(), other.file(), file));
        }
      }
    }
    return found;
  }

  private static Set<String> shards(Path index) {
    Set<String> files = new LinkedHashSet<>();
    weightMap(index).elements().forEachRemaining(file -> files.add(file.asText()));
    for (String file : files) {
      // A name with a path in it would read outside the folder.
      if (!file.endsWith(".safetensors") || !Path.of(file).equals(Path.of(file).getFileName())) {
        throw new TrainerException(
            TrainerExit.MODEL, index + " names '" + file + "', not a safetensors file beside it");
      }
    }
    return files;
  }

  private static void checkIndex(Path index, Map<String, WeightLocation> found) {
    weightMap(index)
        .properties()
        .forEach(
            field -> {
              WeightLocation location = found.get(field.getKey());
              if (location == null
                  || !location.file().getFileName().toString().equals(field.getValue().asText())) {
                throw new TrainerException(
                    TrainerExit.MODEL,
                    "%s says that %s has the weight %s, which it hasn't"
                        .formatted(index, field.getValue().asText(), field.getKey()));
              }
            });
  }

  private static JsonNode weightMap(Path index) {
    try {
      JsonNode map = new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
      if (!map.isObject() || map.isEmpty()) {
        throw new TrainerException(TrainerExit.MODEL, index + " has no weight_map");
      }
      return map;
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.MODEL, index + " can't be read as JSON: " + e.getMessage(), e);
    }
  }
}
