package dev.finetune.trainer.picture;

import java.util.Set;

/** BMP files: a header, maybe a palette, and rows of pixels. */
final class BmpFile {
  private static final int INFO_HEADER = 40;
  private static final int BIT_FIELDS = 3;

  private BmpFile() {}

  /** All of it: there is nothing to leave out. */
  static CodedPicture strip(FileBytes file) throws PictureFault {
    long pixels = file.littleInt(10);
    int bits = file.littleShort(28);
    long compression = file.littleInt(30);
    boolean plain = compression == 0 && Set.of(1, 4, 8, 24, 32).contains(bits);
    if (file.littleInt(14) < INFO_HEADER || !(plain || (compression == BIT_FIELDS && bits == 32))) {
      throw new PictureFault(
          "is a BMP of a rare kind (16 bits, compressed or of OS/2): save it as PNG");
    }
    long width = file.littleInt(18);
    // Negative where the first row is the top one.
    long height = Math.abs((int) file.littleInt(22));
    CodedPicture picture = CodedPicture.of(CodedPicture.Format.BMP, width, height, file.all());
    file.require(pixels, (width * bits + 31) / 32 * 4 * height);
    return picture;
  }
}
