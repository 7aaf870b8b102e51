package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.DatasetFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rows that docs/data.md shows, and the files in examples/data/formats. */
class DataDocTest {
  private static final Path DOC = Path.of("..", "docs", "data.md");
  private static final Path FORMATS = Path.of("..", "examples", "data", "formats");
  private static final Pattern EXAMPLE =
      Pattern.compile("```json (\\w+)\n(.*?)\n```", Pattern.DOTALL);

  @TempDir Path folder;

  @Test
  void everyExampleIsReadAsTheFormatThatItIsOf() throws IOException {
    Matcher examples = EXAMPLE.matcher(Files.readString(DOC));
    List<String> formats = new ArrayList<>();
    while (examples.find()) {
      String format = examples.group(1);
      Path file = folder.resolve(formats.size() + ".jsonl");
      Files.writeString(file, examples.group(2));
      List<SourceRow> named = rows(file, Map.of("format", format));

      assertThat(named).as(examples.group(2)).hasSize(1);
      assertThat(rows(file, Map.of())).isEqualTo(named);
      formats.add(format);
    }
    assertThat(formats)
        .containsOnly("Alpaca", "Messages", "ShareGPT", "QueryResponse", "PromptCompletion", "Text")
        .hasSize(10);
    assertThat(formats.stream().distinct().count()).isEqualTo(DatasetFormat.values().length - 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "alpaca.csv",
        "messages.jsonl",
        "messages.parquet",
        "sharegpt.json",
        "query-response.jsonl",
        "prompt-completion.jsonl",
        "text.txt"
      })
  void everyExampleFileHasTwoRows(String name) {
    assertThat(rows(FORMATS.resolve(name), Map.of())).hasSize(2);
  }

  @Test
  void theParquetFileHoldsWhatTheJsonLinesDo() {
    assertThat(rows(FORMATS.resolve("messages.parquet"), Map.of()))
        .extracting(SourceRow::content)
        .isEqualTo(
            rows(FORMATS.resolve("messages.jsonl"), Map.of()).stream()
                .map(SourceRow::content)
                .toList());
  }

  private static List<SourceRow> rows(Path file, Map<String, String> settings) {
    Map<String, String> source = new java.util.HashMap<>(settings);
    source.put("source", "file:///" + file.getFileName());
    return DatasetFixture.rows(DatasetFixture.first(source), file);
  }
}
