package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The columns of a file that stand for a format's. */
final class ColumnNames {
  private final Map<String, String> columns;

  /**
   * @param columns the file's columns by the format's; null for none
   */
  ColumnNames(Map<String, String> columns) {
    this.columns = columns == null ? Map.of() : new TreeMap<>(columns);
  }

  /**
   * Checks that a row has them.
   *
   * @throws RowFault naming those that it lacks and what it has
   */
  void check(ObjectNode row) throws RowFault {
    List<String> missing = columns.values().stream().filter(name -> !row.has(name)).toList();
    if (!missing.isEmpty()) {
      throw new RowFault(
          "the source's columns name "
              + String.join(", ", missing)
              + ", which the file doesn't have; found "
              + RowFormat.columns(row));
    }
  }

  /** A row with the format's names; a column that has one of them already gives way. */
  ObjectNode rename(ObjectNode row) {
    if (columns.isEmpty()) {
      return row;
    }
    ObjectNode renamed = row.deepCopy();
    columns.values().forEach(renamed::remove);
    columns.forEach(
        (name, column) -> {
          JsonNode value = row.get(column);
          if (value != null) {
            renamed.set(name, value);
          }
        });
    return renamed;
  }
}
