package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Takes tokens one behind the other. */
final class TokenBuffer {
  private int[] ids = new int[256];
  private int[] labels = new int[256];
  private int size;
  private final List<PlacedPicture> pictures = new ArrayList<>();

  void add(int id, boolean learned) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
      labels = Arrays.copyOf(labels, 2 * size);
    }
    ids[size] = id;
    labels[size] = learned ? id : TokenizedExample.IGNORED;
    size++;
  }

  /** Adds an id if it is one of some. */
  void addWhere(int[] some, int id) {
    if (Arrays.stream(some).anyMatch(each -> each == id)) {
      add(id, false);
    }
  }

  /** Adds a picture's tokens, which are all the same. */
  void addPicture(Picture picture, int id, int count) {
    pictures.add(new PlacedPicture(picture, size, size + count));
    for (int i = 0; i < count; i++) {
      add(id, false);
    }
  }

  LabelledTokens tokens() {
    return new LabelledTokens(
        Arrays.copyOf(ids, size), Arrays.copyOf(labels, size), List.copyOf(pictures));
  }
}
