package dev.finetune.trainer.picture;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A picture's file in memory: what lies at a place, with a fault where the file ends before it. */
final class FileBytes {
  private final byte[] bytes;

  FileBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  int length() {
    return bytes.length;
  }

  byte[] all() {
    return bytes;
  }

  boolean startsWith(byte[] signature) {
    return bytes.length >= signature.length
        && Arrays.equals(bytes, 0, signature.length, signature, 0, signature.length);
  }

  boolean startsWith(String signature) {
    return has(0, signature);
  }

  /** Whether a text of ASCII lies there. */
  boolean has(long place, String text) {
    byte[] sought = text.getBytes(StandardCharsets.US_ASCII);
    return place + sought.length <= bytes.length
        && Arrays.equals(bytes, (int) place, (int) place + sought.length, sought, 0, sought.length);
  }

  int unsigned(long place) throws PictureFault {
    require(place, 1);
    return bytes[(int) place] & 0xFF;
  }

  /** Two bytes, the high one first. */
  int bigShort(long place) throws PictureFault {
    return (unsigned(place) << 8) | unsigned(place + 1);
  }

  /** Two bytes, the low one first. */
  int littleShort(long place) throws PictureFault {
    return unsigned(place) | (unsigned(place + 1) << 8);
  }

  /** Four bytes without a sign, the high one first. */
  long bigInt(long place) throws PictureFault {
    return ((long) bigShort(place) << 16) | bigShort(place + 2);
  }

  /** Four bytes without a sign, the low one first. */
  long littleInt(long place) throws PictureFault {
    return littleShort(place) | ((long) littleShort(place + 2) << 16);
  }

  /** Copies bytes to the end of another file. */
  void copy(long place, long length, ByteArrayOutputStream to) throws PictureFault {
    require(place, length);
    to.write(bytes, (int) place, (int) length);
  }

  /**
   * Says that so many bytes must be there.
   *
   * @throws PictureFault if the file ends before
   */
  void require(long place, long length) throws PictureFault {
    if (place + length > bytes.length) {
      throw cutOff();
    }
  }

  /** The fault of a file that ends too early. */
  PictureFault cutOff() {
    return new PictureFault(
        "is cut off behind %,d bytes: copy it again, or leave it out".formatted(bytes.length));
  }
}
