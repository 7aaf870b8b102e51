package dev.finetune.trainer.picture;

import java.io.ByteArrayOutputStream;

/** GIF files: a screen, then extensions and frames in blocks of at most 255 bytes. */
final class GifFile {
  private static final int SCREEN = 13;
  private static final int EXTENSION = '!';
  private static final int FRAME = ',';
  private static final int TRAILER = ';';

  private GifFile() {}

  /** The first frame, which has to fill the screen, without what is transparent in it. */
  static CodedPicture strip(FileBytes file) throws PictureFault {
    long place = (long) SCREEN + paletteBytes(file.unsigned(10));
    ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length());
    file.copy(0, place, stream);
    while (file.unsigned(place) == EXTENSION) {
      place = endOfBlocks(file, place + 2);
    }
    if (file.unsigned(place) != FRAME) {
      throw new PictureFault("is damaged: a GIF without a frame: copy it again, or leave it out");
    }
    int width = file.littleShort(6);
    int height = file.littleShort(8);
    if (file.littleInt(place + 1) != 0
        || file.littleShort(place + 5) != width
        || file.littleShort(place + 7) != height) {
      throw new PictureFault(
          "is a GIF whose first frame doesn't fill it: save the picture that is meant as PNG");
    }
    // A byte of flags ends the frame's header, and one of the code's size precedes the blocks.
    long end = endOfBlocks(file, place + 11 + paletteBytes(file.unsigned(place + 9)));
    file.copy(place, end - place, stream);
    stream.write(TRAILER);
    return CodedPicture.of(CodedPicture.Format.GIF, width, height, stream.toByteArray());
  }

  private static int paletteBytes(int flags) {
    return (flags & 0x80) == 0 ? 0 : RgbImage.CHANNELS << ((flags & 7) + 1);
  }

  private static long endOfBlocks(FileBytes file, long from) throws PictureFault {
    long place = from;
    while (file.unsigned(place) != 0) {
      place += file.unsigned(place) + 1;
    }
    return place + 1;
  }
}
