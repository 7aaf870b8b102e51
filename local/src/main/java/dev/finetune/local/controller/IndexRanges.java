package dev.finetune.local.controller;

import java.util.SortedSet;
import java.util.StringJoiner;
import java.util.TreeSet;

/** Kubernetes' form of a set of completion indexes: {@code 0-3,5}. */
final class IndexRanges {
  private IndexRanges() {}

  static String format(java.util.Set<Integer> indexes) {
    SortedSet<Integer> left = new TreeSet<>(indexes);
    StringJoiner ranges = new StringJoiner(",");
    while (!left.isEmpty()) {
      int first = left.first();
      int last = first;
      while (left.contains(last + 1)) {
        last++;
      }
      ranges.add(first == last ? String.valueOf(first) : first + "-" + last);
      left = left.tailSet(last + 1);
    }
    return ranges.toString();
  }
}
