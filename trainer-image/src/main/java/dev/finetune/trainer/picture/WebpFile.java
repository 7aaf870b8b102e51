package dev.finetune.trainer.picture;

import java.io.ByteArrayOutputStream;

/** WebP files: chunks of name, length and data in a RIFF container. */
final class WebpFile {
  private static final int HEADER = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int ANIMATED = 2;

  private WebpFile() {}

  /** The chunk of the colours: a lossy picture has its alpha in another one. */
  static CodedPicture strip(FileBytes file) throws PictureFault {
    file.require(0, file.littleInt(4) + 8);
    long chunk = HEADER;
    while (true) {
      long length = file.littleInt(chunk + 4);
      file.require(chunk, length + CHUNK_HEADER);
      long data = chunk + CHUNK_HEADER;
      if (file.has(chunk, "VP8X") && (file.unsigned(data) & ANIMATED) != 0) {
        throw new PictureFault("is an animation: save the picture that is meant as PNG or WebP");
      }
      if (file.has(chunk, "VP8 ")) {
        return CodedPicture.of(
            CodedPicture.Format.WEBP,
            file.littleShort(data + 6) & 0x3FFF,
            file.littleShort(data + 8) & 0x3FFF,
            alone(file, chunk, length));
      }
      if (file.has(chunk, "VP8L")) {
        long sizes = file.littleInt(data + 1);
        return CodedPicture.of(
            CodedPicture.Format.WEBP,
            (sizes & 0x3FFF) + 1,
            ((sizes >> 14) & 0x3FFF) + 1,
            alone(file, chunk, length));
      }
      chunk = data + length + (length & 1);
    }
  }

  private static byte[] alone(FileBytes file, long chunk, long length) throws PictureFault {
    long padded = length + (length & 1);
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    file.copy(0, 4, stream);
    for (int shift = 0; shift < 32; shift += 8) {
      stream.write((int) ((padded + CHUNK_HEADER + 4) >> shift));
    }
    file.copy(8, 4, stream);
    file.copy(chunk, CHUNK_HEADER + length, stream);
    if (padded > length) {
      stream.write(0);
    }
    return stream.toByteArray();
  }
}
