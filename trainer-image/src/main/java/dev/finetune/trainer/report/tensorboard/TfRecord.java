package dev.finetune.trainer.report.tensorboard;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * TensorFlow's record format (tensorflow/core/lib/io/record_writer.h): the data's length in 8
 * bytes, a masked CRC-32C of these, the data, and a masked CRC-32C of it; all little-endian.
 */
final class TfRecord {
  private static final int CRC_BYTES = Integer.BYTES;
  private static final int HEADER_BYTES = Long.BYTES + CRC_BYTES;

  /** So that a CRC of data that holds CRCs is no trivial one (crc32c.h). */
  private static final int MASK_DELTA = 0xa282ead8;

  private TfRecord() {}

  /** A record around the data. */
  static byte[] of(byte[] data) {
    ByteBuffer record =
        ByteBuffer.allocate(HEADER_BYTES + data.length + CRC_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedCrc(record.array(), 0, Long.BYTES));
    record.put(data);
    record.putInt(maskedCrc(data, 0, data.length));
    return record.array();
  }

  /**
   * Takes the next record's data; empty at the end, and where what follows isn't a whole record.
   */
  static Optional<byte[]> next(ByteBuffer file) {
    ByteBuffer record = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (record.remaining() < HEADER_BYTES) {
      return Optional.empty();
    }
    byte[] length = new byte[Long.BYTES];
    record.get(0, length);
    long bytes = record.getLong();
    boolean whole =
        record.getInt() == maskedCrc(length, 0, Long.BYTES)
            && bytes >= 0
            && bytes <= record.remaining() - CRC_BYTES;
    if (!whole) {
      return Optional.empty();
    }
    byte[] data = new byte[(int) bytes];
    record.get(data);
    if (record.getInt() != maskedCrc(data, 0, data.length)) {
      return Optional.empty();
    }
    file.position(file.position() + record.position());
    return Optional.of(data);
  }

  private static int maskedCrc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }
}
