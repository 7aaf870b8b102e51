package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Mean and standard deviation of the channels, from 0 to 1, that a picture's values are normalised
 * by.
 *
 * @param mean of red, green and blue
 * @param deviation of red, green and blue
 */
record PictureNormalization(List<Double> mean, List<Double> deviation) {
  /** ImageNet's, which InternVL's code has where no file says otherwise. */
  private static final PictureNormalization IMAGENET =
      new PictureNormalization(List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

  /**
   * That of a folder.
   *
   * @throws dev.finetune.trainer.TrainerException with MODEL if preprocessor_config.json is broken
   */
  static PictureNormalization of(Path folder) {
    Path file = folder.resolve("preprocessor_config.json");
    if (!Files.exists(file)) {
      return IMAGENET;
    }
    ModelConfig config = ModelConfig.read(file);
    return new PictureNormalization(
        channels(config, "image_mean", IMAGENET.mean),
        channels(config, "image_std", IMAGENET.deviation));
  }

  private static List<Double> channels(ModelConfig config, String key, List<Double> otherwise) {
    JsonNode value = config.value(key);
    if (value.isMissingNode() || value.isNull()) {
      return otherwise;
    }
    if (value.size() != 3 || !value.path(0).isNumber() || !value.path(2).isNumber()) {
      throw config.invalid(key, "must be three numbers, but is " + ModelConfig.shown(value));
    }
    return List.of(value.path(0).asDouble(), value.path(1).asDouble(), value.path(2).asDouble());
  }

  /** As the script takes them. */
  Map<String, Double> numbers() {
    Map<String, Double> numbers = new TreeMap<>();
    for (int channel = 0; channel < mean.size(); channel++) {
      numbers.put("mean." + channel, mean.get(channel));
      numbers.put("deviation." + channel, deviation.get(channel));
    }
    return numbers;
  }
}
