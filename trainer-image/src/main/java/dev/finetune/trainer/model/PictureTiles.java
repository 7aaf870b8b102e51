package dev.finetune.trainer.model;

import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The tiles of some pictures as the script takes them.
 *
 * @param count how many, n
 * @param pixels the bytes of (n, S, S, 3), eight in each I64 and filled up to a whole one: the
 *     engine makes no arrays of bytes
 */
public record PictureTiles(long count, HostTensor pixels) {
  /** Of text alone. */
  public static final PictureTiles NONE = new PictureTiles(0, HostTensor.ofLongs(new long[0], 0));

  /** The tiles of pictures, one behind the other. */
  static PictureTiles of(List<Picture> pictures) {
    if (pictures.isEmpty()) {
      return NONE;
    }
    List<byte[]> all = pictures.stream().map(Picture::pixels).toList();
    long bytes = all.stream().mapToLong(each -> each.length).sum();
    long longs = (bytes + Long.BYTES - 1) / Long.BYTES;
    ByteBuffer buffer =
        ByteBuffer.allocate(Math.toIntExact(longs * Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    all.forEach(buffer::put);
    buffer.rewind();
    long count = pictures.stream().mapToLong(Picture::tiles).sum();
    return new PictureTiles(count, new HostTensor("I64", new long[] {longs}, buffer));
  }
}
