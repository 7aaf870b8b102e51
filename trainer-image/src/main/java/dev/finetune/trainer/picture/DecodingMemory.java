package dev.finetune.trainer.picture;

import java.util.concurrent.Semaphore;

/** Bounds what pictures that are being decoded take of the heap, all threads together. */
final class DecodingMemory {
  private static final int MIB = 20;

  private final long heap;
  private final int most;
  private final Semaphore free;

  /**
   * @param heap bytes of the heap, of which a quarter is lent; a larger picture is decoded alone
   */
  DecodingMemory(long heap) {
    this.heap = heap;
    this.most = (int) Math.max(1, (heap / 4) >> MIB);
    this.free = new Semaphore(most);
  }

  /**
   * Decodes a picture when there is room for it.
   *
   * @throws PictureFault if the file is damaged, or the heap is too small for it
   */
  RgbImage decode(CodedPicture picture) throws PictureFault {
    long bytes = picture.decodingBytes();
    if (bytes > heap / 4 * 3) {
      throw new PictureFault(
          ("has %d x %d pixels, which take %,d MiB to be decoded, and Java's heap has %,d MiB:"
                  + " scale it down, or give the trainer more memory")
              .formatted(picture.width(), picture.height(), bytes >> MIB, heap >> MIB));
    }
    int share = (int) Math.min(most, (bytes >> MIB) + 1);
    free.acquireUninterruptibly(share);
    try {
      return picture.decode();
    } finally {
      free.release(share);
    }
  }
}
