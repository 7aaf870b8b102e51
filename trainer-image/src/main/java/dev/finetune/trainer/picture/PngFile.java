package dev.finetune.trainer.picture;

import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32;

/** PNG files: a signature and chunks of length, name, data and checksum. */
final class PngFile {
  static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

  /** Length and name in front of a chunk's data, and the checksum behind them. */
  private static final int FRAME = 12;

  private PngFile() {}

  /** Header, palette and pixels. */
  static CodedPicture strip(FileBytes file) throws PictureFault {
    ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length());
    file.copy(0, SIGNATURE.length, stream);
    long chunk = SIGNATURE.length;
    if (!file.has(chunk + 4, "IHDR")) {
      throw new PictureFault("is damaged: a PNG begins with IHDR: copy it again");
    }
    long width = file.bigInt(chunk + 8);
    long height = file.bigInt(chunk + 12);
    while (!file.has(chunk + 4, "IEND")) {
      long length = file.bigInt(chunk);
      file.require(chunk, length + FRAME);
      if (file.has(chunk + 4, "IHDR")
          || file.has(chunk + 4, "PLTE")
          || file.has(chunk + 4, "IDAT")) {
        check(file, chunk, length);
        file.copy(chunk, length + FRAME, stream);
      }
      chunk += length + FRAME;
    }
    file.copy(chunk, FRAME, stream);
    return CodedPicture.of(CodedPicture.Format.PNG, width, height, stream.toByteArray());
  }

  private static void check(FileBytes file, long chunk, long length) throws PictureFault {
    CRC32 sum = new CRC32();
    sum.update(file.all(), (int) chunk + 4, (int) length + 4);
    if (sum.getValue() != file.bigInt(chunk + 8 + length)) {
      throw new PictureFault(
          "is damaged: a checksum is wrong at byte %,d: copy it again, or leave it out"
              .formatted(chunk));
    }
  }
}
