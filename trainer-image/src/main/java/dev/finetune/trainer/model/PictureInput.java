package dev.finetune.trainer.model;

import dev.finetune.trainer.picture.Tiling;
import java.nio.file.Path;
import java.util.Optional;

/** How a model that takes pictures wants them, from its folder's configuration. */
public final class PictureInput {
  /** The text of the token that stands for a piece of a picture. */
  public static final String TOKEN = "<IMG_CONTEXT>";

  private static final long MOST_TILES = 12;

  private PictureInput() {}

  /**
   * The tiling of a model.
   *
   * @param folder with config.json, and preprocessor_config.json where it is in transformers'
   *     layout
   * @return empty where the model takes text alone
   * @throws dev.finetune.trainer.TrainerException with MODEL if a setting is wrong
   */
  public static Optional<Tiling> of(Path folder) {
    ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
    return switch (config.architecture()) {
      case InternVl.ORIGINAL -> Optional.of(original(config));
      case InternVl.TRANSFORMERS -> Optional.of(transformers(folder, config));
      default -> Optional.empty();
    };
  }

  /**
   * The same with another bound on the tiles of a picture.
   *
   * @param most tiles without the thumbnail; null: the model's own bound
   */
  public static Optional<Tiling> of(Path folder, Integer most) {
    return of(folder).map(own -> most == null ? own : own.withMost(most));
  }

  private static Tiling original(ModelConfig config) {
    VisionConfig vision = VisionConfig.of(config);
    long most =
        config.flag("dynamic_image_size", true) ? config.whole("max_dynamic_patch", MOST_TILES) : 1;
    return new Tiling(
        Math.toIntExact(vision.imageSize()),
        Math.toIntExact(Math.min(most, config.whole("min_dynamic_patch", 1))),
        Math.toIntExact(most),
        config.flag("use_thumbnail", true),
        Math.toIntExact(vision.tokensPerTile()));
  }

  private static Tiling transformers(Path folder, ModelConfig config) {
    VisionConfig vision = VisionConfig.of(config);
    ModelConfig images = ModelConfig.read(folder.resolve("preprocessor_config.json"));
    long most = images.flag("crop_to_patches", true) ? images.whole("max_patches", MOST_TILES) : 1;
    return new Tiling(
        Math.toIntExact(vision.imageSize()),
        Math.toIntExact(Math.min(most, images.whole("min_patches", 1))),
        Math.toIntExact(most),
        /* thumbnail= */ true,
        Math.toIntExact(vision.tokensPerTile()));
  }
}
