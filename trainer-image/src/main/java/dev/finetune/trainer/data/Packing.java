package dev.finetune.trainer.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Best-fit decreasing (Johnson, "Near-optimal bin packing algorithms", 1973): from the longest row
 * to the shortest, each goes where the least room is left that is enough for it. It needs at most
 * 11/9 of the fewest sequences and one more, and with many short rows hardly more than the tokens
 * do. How many it needs depends on the lengths alone, not on the order of rows of one length.
 */
final class Packing {
  private final int maxLength;

  /** The sequences that have so much room left, by it. */
  private final Map<Integer, Deque<List<Integer>>> byRoom = new HashMap<>();

  /** The rooms that there are. */
  private final BitSet rooms = new BitSet();

  private final List<List<Integer>> packed = new ArrayList<>();

  private Packing(int maxLength) {
    this.maxLength = maxLength;
  }

  /**
   * Packs rows.
   *
   * @param rows their indices, in any order; rows of one length are taken in it
   * @param lengths tokens by a row's index, at most maxLength
   * @param maxLength most tokens of a sequence
   * @return the rows of each sequence, in their order within rows; the sequences in the order of
   *     their first rows
   */
  static List<int[]> pack(int[] rows, int[] lengths, int maxLength) {
    Packing packing = new Packing(maxLength);
    Integer[] places = new Integer[rows.length];
    Arrays.setAll(places, i -> i);
    Arrays.sort(places, Comparator.comparingInt(place -> -lengths[rows[place]]));
    for (int place : places) {
      packing.place(place, lengths[rows[place]]);
    }
    return packing.packed.stream()
        .peek(sequence -> sequence.sort(Comparator.naturalOrder()))
        .sorted(Comparator.comparing(sequence -> sequence.get(0)))
        .map(sequence -> sequence.stream().mapToInt(place -> rows[place]).toArray())
        .toList();
  }

  private void place(int place, int length) {
    int room = rooms.nextSetBit(length);
    List<Integer> sequence;
    if (room < 0) {
      room = maxLength;
      sequence = new ArrayList<>();
      packed.add(sequence);
    } else {
      Deque<List<Integer>> candidates = byRoom.get(room);
      sequence = candidates.pop();
      if (candidates.isEmpty()) {
        byRoom.remove(room);
        rooms.clear(room);
      }
    }
    sequence.add(place);
    byRoom.computeIfAbsent(room - length, any -> new ArrayDeque<>()).push(sequence);
    rooms.set(room - length);
  }
}
