package dev.finetune.trainer.data;

import dev.finetune.trainer.data.SentencePieceModel.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The merges of a BPE model, which SentencePiece doesn't keep: they follow from its pieces. */
final class SentencePieceMerges {
  private static final Comparator<Merge> PREFERRED =
      Comparator.comparingDouble(Merge::score)
          .thenComparingInt(Merge::leftLength)
          .thenComparingInt(Merge::rightLength)
          .reversed();

  private SentencePieceMerges() {}

  /**
   * Two pieces that become one.
   *
   * @param left the first
   * @param right the second
   * @param score that of the piece that they make
   */
  record Merge(String left, String right, float score) {
    private int leftLength() {
      return left.codePointCount(0, left.length());
    }

    private int rightLength() {
      return right.codePointCount(0, right.length());
    }
  }

  /**
   * Every way to make a piece of two others, the preferred first: transformers' generate_merges.
   * Higher scores come first, of equal ones longer parts, then the order of the pieces' ids.
   *
   * @param pieces by their ids
   * @param ids of the pieces by their texts
   */
  static List<Merge> of(List<Piece> pieces, Map<String, Integer> ids) {
    List<Merge> merges = new ArrayList<>();
    for (Piece piece : pieces) {
      List<Merge> ofPiece = new ArrayList<>();
      String text = piece.text();
      for (int cut = 1; cut < text.length(); cut++) {
        if (Character.isLowSurrogate(text.charAt(cut))) {
          continue;
        }
        String left = text.substring(0, cut);
        String right = text.substring(cut);
        if (ids.containsKey(left) && ids.containsKey(right)) {
          ofPiece.add(new Merge(left, right, piece.score()));
        }
      }
      ofPiece.sort(
          Comparator.<Merge>comparingInt(merge -> ids.get(merge.left()))
              .thenComparingInt(merge -> ids.get(merge.right())));
      merges.addAll(ofPiece);
    }
    merges.sort(PREFERRED);
    return merges;
  }
}
