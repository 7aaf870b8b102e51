package dev.finetune.trainer.data;

/**
 * A row of a data file.
 *
 * @param source the number of the source that it comes from, from 0
 * @param file the file as the recipe names it
 * @param line the line that it begins on, from 1; in a Parquet file its number
 * @param content what it says
 */
record SourceRow(int source, String file, int line, Content content) {
  /** Where it came from, for messages. */
  String origin() {
    return file + ":" + line;
  }
}
