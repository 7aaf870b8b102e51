package dev.finetune.trainer.picture;

import java.nio.file.Path;

/** Opens pictures; safe for many threads. */
@FunctionalInterface
public interface PictureOpener {
  /**
   * Opens a picture: its size and tiles are known then, its pixels needn't be.
   *
   * @throws PictureFault beginning with the file's path, if it isn't there, or no picture that can
   *     be read
   */
  Picture open(Path file) throws PictureFault;
}
