package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.trainer.RecipeFixture;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Data sets for tests, with the CRD's defaults. */
final class DatasetFixture {
  private DatasetFixture() {}

  static DatasetSource source(String source, DatasetFormat format) {
    return first(Map.of("source", source, "format", format));
  }

  static DatasetSource sample(String source, int rows) {
    return first(Map.of("source", source, "sample", rows));
  }

  /**
   * The rows of a file.
   *
   * @throws IllegalArgumentException for the first fault
   */
  static List<SourceRow> rows(DatasetSource source, Path file) {
    return rows(source, file, null, null);
  }

  /**
   * The rows of a file.
   *
   * @param systemPrompt of rows that have none; null for none
   * @param pictures folder of the pictures; null for the file's
   */
  static List<SourceRow> rows(DatasetSource source, Path file, String systemPrompt, Path pictures) {
    List<SourceRow> rows = new ArrayList<>();
    new SourceReader(systemPrompt, 0, new PictureFolder(pictures, Path::of))
        .read(
            source,
            file,
            0,
            new SourceReader.Taker() {
              @Override
              public void row(SourceRow row) {
                rows.add(row);
              }

              @Override
              public void fault(String origin, String message) {
                throw new IllegalArgumentException(origin + ": " + message);
              }

              @Override
              public void broken(String origin, String message) {
                fault(origin, message);
              }
            });
    return rows;
  }

  /** The turns of a row that is a conversation. */
  static List<Message> messages(SourceRow row) {
    return ((Conversation) row.content()).messages();
  }

  /** The one source of a data set. */
  static DatasetSource first(Map<String, ?> settings) {
    return RecipeFixture.of(Map.of("dataset.train", List.of(settings))).dataset().train().get(0);
  }

  /**
   * A data set.
   *
   * @param fraction of the rows that is held out; null for the default
   * @param validation files to validate with
   */
  static DatasetOptions options(
      List<DatasetSource> train, Double fraction, DatasetSource... validation) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("dataset.train", train);
    if (fraction != null) {
      settings.put("dataset.validation.fraction", fraction);
    }
    if (validation.length > 0) {
      settings.put("dataset.validation.sources", validation);
    }
    return RecipeFixture.of(settings).dataset();
  }
}
