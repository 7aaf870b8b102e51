package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.TrainingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a user should know of data that can be trained on all the same. */
final class DatasetWarnings {
  private final List<String> warnings = new ArrayList<>();

  private DatasetWarnings() {}

  /**
   * Looks at what became of the rows.
   *
   * @param faults the rows that are left out
   * @param training the recipe's training options
   * @param tokenizer the model's tokenizer
   * @param all the counts of the training rows and of those of validation files
   * @param pictures their pictures
   */
  static List<String> of(
      Faults faults,
      TrainingOptions training,
      Tokenizer tokenizer,
      List<RowCounts> all,
      PictureCounts pictures) {
    DatasetWarnings warnings = new DatasetWarnings();
    faults.warning().ifPresent(warnings.warnings::add);
    warnings.cut(
        all.stream().mapToInt(RowCounts::cut).sum(),
        all.stream().mapToInt(counts -> counts.of(RowTokenizer.Fate.CUT_WITHOUT_END)).sum(),
        training);
    warnings.pictures(pictures);
    warnings.unsupervised(
        all.stream().mapToInt(counts -> counts.of(RowTokenizer.Fate.UNSUPERVISED)).sum());
    warnings.starts(all.stream().mapToInt(RowCounts::startingTwice).sum());
    warnings.ends(all.get(0), tokenizer);
    if (Boolean.TRUE.equals(training.packing()) && Boolean.TRUE.equals(training.groupByLength())) {
      warnings.warnings.add(
          "training.groupByLength has no effect with training.packing: packed sequences are of one"
              + " length already");
    }
    return List.copyOf(warnings.warnings);
  }

  private void cut(int cut, int withoutEnd, TrainingOptions training) {
    if (cut == 0) {
      return;
    }
    String lost =
        training.overlong() == Overlong.TRUNCATE_LEFT
            ? "they have lost their beginning, with the system turn and the first turns"
            : withoutEnd
                + " of them have lost the token that ends the answer, and teach the model not to stop";
    warnings.add(
        "%s cut to training.maxLength %d: %s; raise training.maxLength, or set training.overlong to Drop"
            .formatted(rowsAre(cut), training.maxLength(), lost));
  }

  private void pictures(PictureCounts pictures) {
    if (pictures.tooLarge()) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "a picture of the most tiles takes %,d tokens and training.maxLength is %,d, so that rows with such a one are left out; raise training.maxLength, or lower model.maxTiles",
              pictures.most(),
              pictures.maxLength()));
    }
  }

  private void unsupervised(int rows) {
    if (rows > 0) {
      warnings.add(
          rowsAre(rows)
              + " left out, since no token of theirs is learned; look at the loss of their messages,"
              + " and at dataset.supervise");
    }
  }

  private void starts(int rows) {
    if (rows > 0) {
      warnings.add(
          "%s beginning with bos_token twice: the template writes it, and the row or its system turn has it too; remove it from the data"
              .formatted(rowsAre(rows)));
    }
  }

  private void ends(RowCounts train, Tokenizer tokenizer) {
    if (train.rows() > 0 && train.ending() == 0) {
      String tokens =
          tokenizer.stopIds().isEmpty()
              ? "the model names none"
              : tokenizer.decode(
                  tokenizer.stopIds().stream().mapToInt(Integer::intValue).sorted().toArray());
      warnings.add(
          "no row teaches a token that ends a generation (%s), so the tuned model may not stop: name the token that ends the template's turns as eos_token_id in the model's generation_config.json, or set model.template to one that ends with it"
              .formatted(tokens));
    }
  }

  private static String rowsAre(int rows) {
    return rows == 1 ? "1 row is" : rows + " rows are";
  }
}
