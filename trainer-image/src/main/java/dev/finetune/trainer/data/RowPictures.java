package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.picture.PictureFault;
import dev.finetune.trainer.picture.PictureOpener;
import dev.finetune.trainer.picture.Pictures;
import dev.finetune.trainer.picture.Tiling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Opens the pictures that rows name, for a model. Safe for many threads. */
public final class RowPictures {
  private static final RowPictures NONE = new RowPictures(Optional.empty(), null);

  private final Optional<Tiling> tiling;
  private final PictureOpener opener;

  private RowPictures(Optional<Tiling> tiling, PictureOpener opener) {
    this.tiling = tiling;
    this.opener = opener;
  }

  /** For a model that takes text alone: a row with pictures is a fault. */
  public static RowPictures none() {
    return NONE;
  }

  /**
   * For a model, with pictures from files. They stay open as long as their rows do; idle, they have
   * no thread.
   *
   * @param tiling how it wants them cut; empty where it takes text alone
   */
  public static RowPictures fromFiles(Optional<Tiling> tiling) {
    return tiling.map(each -> of(each, new Pictures(each, Pictures.defaultBudget()))).orElse(NONE);
  }

  /**
   * For a model that takes pictures.
   *
   * @param tiling how it wants them cut
   * @param opener opens them
   */
  public static RowPictures of(Tiling tiling, PictureOpener opener) {
    return new RowPictures(Optional.of(tiling), opener);
  }

  /**
   * Opens pictures that a person named.
   *
   * @throws TrainerException USAGE if one is missing or broken, or the model takes text alone
   */
  public List<Picture> open(List<Path> files) {
    if (tiling.isEmpty() && !files.isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE, "the model takes text alone; leave the pictures out");
    }
    List<Picture> pictures = new ArrayList<>();
    for (Path file : files) {
      try {
        pictures.add(opener.open(file));
      } catch (PictureFault e) {
        throw new TrainerException(TrainerExit.USAGE, "the picture " + e.getMessage(), e);
      }
    }
    return pictures;
  }

  /** How the model wants pictures; empty where it takes text alone. */
  Optional<Tiling> tiling() {
    return tiling;
  }

  /**
   * A conversation with its pictures open.
   *
   * @param messages the turns, in which objects stand in place of their tags
   * @param pictures in their order
   */
  record Opened(List<Message> messages, List<Picture> pictures) {}

  /**
   * Opens a conversation's pictures.
   *
   * @throws RowFault if one is missing or broken, or the model takes text alone
   */
  Opened open(Conversation conversation) throws RowFault {
    if (tiling.isEmpty()) {
      if (!conversation.pictures().isEmpty()) {
        throw new RowFault(
            "the row has pictures, and the model takes text alone; train a model that takes"
                + " pictures, or leave the column out");
      }
      return new Opened(conversation.messages(), List.of());
    }
    List<Picture> pictures = new ArrayList<>();
    for (String path : conversation.pictures()) {
      try {
        pictures.add(opener.open(Path.of(path)));
      } catch (PictureFault e) {
        throw new RowFault("the picture " + e.getMessage());
      }
    }
    return new Opened(
        Grounding.written(conversation.messages(), conversation.objects(), pictures), pictures);
  }
}
