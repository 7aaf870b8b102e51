package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegisteredDatasetsTest {
  private static final Path EXAMPLE =
      Path.of("..", "examples", "data", "formats", "registered.yaml");

  @TempDir Path folder;

  private RegisteredDatasets read(String name, String text) throws IOException {
    return RegisteredDatasets.read(Files.writeString(folder.resolve(name), text));
  }

  @Test
  void namesStandForSourcesAndTakeASample() {
    String beside = EXAMPLE.toAbsolutePath().normalize().getParent().toString();

    String sources =
        RegisteredDatasets.read(EXAMPLE)
            .sources(List.of("haiku", "capitals#1", "/data/rows.jsonl#7"))
            .toString();

    assertThat(sources)
        .isEqualTo(
            ("[{\"source\":\"file://%s/alpaca.csv\",\"weight\":2},"
                    + "{\"source\":\"file://%s/prompt-completion.jsonl\",\"columns\":{\"query\":"
                    + "\"prompt\",\"response\":\"completion\"},\"format\":\"QueryResponse\",\"sample\":1},"
                    + "{\"source\":\"file:///data/rows.jsonl\",\"sample\":7}]")
                .formatted(beside, beside));
  }

  @Test
  void readsBothFormsOfSwiftsFile() throws IOException {
    RegisteredDatasets third =
        read(
            "dataset_info.json",
            "[{\"dataset_name\": \"qa\", \"dataset_path\": \"qa.jsonl\", \"columns\": {\"q\":"
                + " \"query\", \"a\": \"response\"}, \"tags\": [\"chat\"]}]");
    RegisteredDatasets second =
        read("info2.json", "{\"qa\": {\"dataset_path\": \"pvc://data/qa.jsonl\"}}");

    assertThat(third.sources(List.of("qa")).toString())
        .isEqualTo(
            "[{\"source\":\"file://%s/qa.jsonl\",\"columns\":{\"query\":\"q\",\"response\":\"a\"}}]"
                .formatted(folder));
    assertThat(second.sources(List.of("qa#3")).toString())
        .isEqualTo("[{\"source\":\"pvc://data/qa.jsonl\",\"sample\":3}]");
  }

  @Test
  void anUnknownNameListsTheKnownOnes() {
    RegisteredDatasets registered = RegisteredDatasets.read(EXAMPLE);

    assertThatThrownBy(() -> registered.sources(List.of("haikus#3")))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.USAGE))
        .hasMessageContaining("--dataset haikus: ")
        .hasMessageContaining("only capitals, chat, haiku;");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "- {path: a.jsonl}|a data set of the list has no name",
        "a: {format: Alpaca}|a has no path",
        "a: {path: b.jsonl, colums: {}}|a: colums isn't known; known are path, columns, format, sample, weight",
        "- {name: a, path: b.jsonl}\\n- {name: a, path: c.jsonl}|two data sets are named a",
        "7|it must be a list of data sets, or data sets by name",
      })
  void whatIsntUnderstoodIsRefused(String text, String message) {
    assertThatThrownBy(() -> read("info.yaml", text.replace("\\n", "\n")))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(message);
  }
}
