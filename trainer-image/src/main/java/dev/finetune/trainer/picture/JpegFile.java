package dev.finetune.trainer.picture;

import java.io.ByteArrayOutputStream;

/**
 * JPEG files: segments that begin with 0xFF and a marker; the ones that hold pixels have coded data
 * behind them.
 */
final class JpegFile {
  static final byte[] SIGNATURE = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF};

  private static final int START_OF_IMAGE = 0xD8;
  private static final int END_OF_IMAGE = 0xD9;
  private static final int START_OF_SCAN = 0xDA;
  private static final int APP0 = 0xE0;
  private static final int APP14 = 0xEE;
  private static final int APP15 = 0xEF;
  private static final int COMMENT = 0xFE;

  private static final byte[] JFIF = {
    (byte) 0xFF, (byte) APP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
  };
  private static final byte[] ADOBE_RGB = {
    (byte) 0xFF, (byte) APP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
  };

  private final FileBytes file;

  /** Tables, frame and scans. */
  private final ByteArrayOutputStream segments;

  private boolean jfif;

  /** The transform of Adobe's segment, or -1 without one. */
  private int adobe = -1;

  /** Where the frame's segment is, or 0 before it was met. */
  private long frame;

  private JpegFile(FileBytes file) {
    this.file = file;
    this.segments = new ByteArrayOutputStream(file.length());
  }

  /**
   * Tables, frame and scans, with a segment in front that says which colours the samples are.
   * ImageIO guesses otherwise than libjpeg where a file doesn't say it.
   */
  static CodedPicture strip(FileBytes file) throws PictureFault {
    return new JpegFile(file).strip();
  }

  private CodedPicture strip() throws PictureFault {
    long place = 2;
    int marker = 0;
    while (marker != END_OF_IMAGE) {
      place = marker(place);
      marker = file.unsigned(place);
      place = segment(place, marker);
    }
    if (frame == 0) {
      throw new PictureFault("is damaged: a JPEG without a frame: copy it again, or leave it out");
    }
    ByteArrayOutputStream stream = new ByteArrayOutputStream(segments.size() + JFIF.length + 4);
    stream.write(0xFF);
    stream.write(START_OF_IMAGE);
    stream.writeBytes(holdsRgb() ? ADOBE_RGB : JFIF);
    stream.writeBytes(segments.toByteArray());
    stream.write(0xFF);
    stream.write(END_OF_IMAGE);
    long height = file.bigShort(frame + 3);
    long width = file.bigShort(frame + 5);
    return CodedPicture.of(CodedPicture.Format.JPEG, width, height, stream.toByteArray());
  }

  /** The place of the next marker's second byte; what lies before it is passed over. */
  private long marker(long from) throws PictureFault {
    long place = from;
    while (file.unsigned(place) != 0xFF) {
      place++;
    }
    while (file.unsigned(place) == 0xFF) {
      place++;
    }
    return place;
  }

  /** Takes up a segment and returns where the next one is sought. */
  private long segment(long place, int marker) throws PictureFault {
    if (marker <= 1 || (marker >= 0xD0 && marker <= END_OF_IMAGE)) {
      return place + 1;
    }
    int length = file.bigShort(place + 1);
    long end = place + 1 + Math.max(length, 2);
    file.require(place, end - place);
    if (marker >= APP0 && marker <= APP15) {
      jfif |= marker == APP0 && file.has(place + 3, "JFIF\0");
      if (marker == APP14 && length >= 14 && file.has(place + 3, "Adobe")) {
        adobe = file.unsigned(place + 14);
      }
      return end;
    }
    if (marker == COMMENT) {
      return end;
    }
    if (isFrame(marker) && frame == 0) {
      check(place + 1, marker);
      frame = place + 1;
    }
    if (marker == START_OF_SCAN) {
      end = endOfScan(end);
    }
    segments.write(0xFF);
    file.copy(place, end - place, segments);
    return end;
  }

  private static boolean isFrame(int marker) {
    // In the middle of their numbers are Huffman's tables, an extension and arithmetic coding's.
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  }

  /** Baseline, extended and progressive with Huffman's codes, 8 bits, gray or three colours. */
  private void check(long place, int marker) throws PictureFault {
    int components = file.unsigned(place + 7);
    if (components == 4) {
      throw new PictureFault("is a JPEG in CMYK, whose colours are not clear: save it in RGB");
    }
    if (marker > 0xC2 || file.unsigned(place + 2) != 8 || components == 2 || components > 4) {
      throw new PictureFault(
          "is a JPEG of a rare kind (not 8 bits, lossless or arithmetic coding):"
              + " save it as PNG or as an ordinary JPEG");
    }
    if (file.bigShort(place + 3) == 0) {
      throw new PictureFault(
          "is a JPEG that says its height behind its pixels: save it as PNG or JPEG again");
    }
  }

  /** The place of the first marker behind a scan that isn't part of its data. */
  private long endOfScan(long from) throws PictureFault {
    long place = from;
    while (true) {
      if (file.unsigned(place) == 0xFF) {
        int next = file.unsigned(place + 1);
        boolean data = next == 0 || next == 0xFF || (next >= 0xD0 && next <= 0xD7);
        if (!data) {
          return place;
        }
      }
      place++;
    }
  }

  /** libjpeg's rule (default_decompress_parms): JFIF, Adobe's segment, the components' names. */
  private boolean holdsRgb() throws PictureFault {
    if (file.unsigned(frame + 7) != 3 || jfif) {
      return false;
    }
    if (adobe >= 0) {
      return adobe == 0;
    }
    return file.unsigned(frame + 8) == 'R'
        && file.unsigned(frame + 11) == 'G'
        && file.unsigned(frame + 14) == 'B';
  }
}
