package dev.finetune.trainer.picture;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Tiles by their pictures' content, in a bounded number of bytes. What was used longest ago makes
 * room for others; what was prefetched and not used yet stays, and takes room from when it is
 * expected.
 */
final class TileCache {
  private final long budget;

  /** Used ones, the one that was used longest ago first. */
  private final Map<String, byte[]> used = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);

  private final Map<String, byte[]> unused = new HashMap<>();
  private final Map<String, Long> expected = new HashMap<>();
  private long usedBytes;

  /** Of those that weren't used and of those that are expected. */
  private long promisedBytes;

  /**
   * @param budget bytes of tiles
   */
  TileCache(long budget) {
    this.budget = budget;
  }

  /** The tiles, which then are used. */
  synchronized Optional<byte[]> take(String content) {
    byte[] prefetched = unused.remove(content);
    if (prefetched != null) {
      promisedBytes -= prefetched.length;
      keep(content, prefetched);
      return Optional.of(prefetched);
    }
    return Optional.ofNullable(used.get(content));
  }

  /**
   * Keeps room for tiles that are about to be made.
   *
   * @return false if they are there or expected, or if there is no room
   */
  synchronized boolean expect(String content, long bytes) {
    if (unused.containsKey(content) || expected.containsKey(content)) {
      return false;
    }
    if (promisedBytes + bytes > budget) {
      return false;
    }
    byte[] tiles = used.remove(content);
    if (tiles != null) {
      // Others mustn't take its place before it is used again.
      usedBytes -= tiles.length;
      promisedBytes += tiles.length;
      unused.put(content, tiles);
      return false;
    }
    expected.put(content, bytes);
    promisedBytes += bytes;
    makeRoom();
    return true;
  }

  /** Takes tiles that were expected; they count as not used yet. Others are ignored. */
  synchronized void fulfil(String content, byte[] tiles) {
    Long bytes = expected.remove(content);
    if (bytes != null) {
      promisedBytes += tiles.length - bytes;
      unused.put(content, tiles);
      makeRoom();
    }
  }

  /** Gives back the room of tiles that don't come. */
  synchronized void forget(String content) {
    Long bytes = expected.remove(content);
    if (bytes != null) {
      promisedBytes -= bytes;
    }
  }

  /** Keeps tiles that were used, if others that were used can make room for them. */
  synchronized void keep(String content, byte[] tiles) {
    if (promisedBytes + tiles.length <= budget && !unused.containsKey(content)) {
      byte[] before = used.put(content, tiles);
      usedBytes += tiles.length - (before == null ? 0 : before.length);
      makeRoom();
    }
  }

  /** Whether so many bytes can be kept without another's having to go. */
  synchronized boolean hasRoom(long bytes) {
    return promisedBytes + usedBytes + bytes <= budget;
  }

  /** Bytes of the tiles that it holds. */
  synchronized long bytes() {
    return usedBytes + unused.values().stream().mapToLong(tiles -> tiles.length).sum();
  }

  private void makeRoom() {
    Iterator<byte[]> oldest = used.values().iterator();
    while (usedBytes + promisedBytes > budget && oldest.hasNext()) {
      usedBytes -= oldest.next().length;
      oldest.remove();
    }
  }
}
