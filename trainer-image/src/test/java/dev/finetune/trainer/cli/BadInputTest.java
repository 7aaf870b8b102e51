package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BadInputTest {
  private static final String ROW =
      "{\"instruction\": \"What is the capital of France?\", \"output\": \"Paris.\"}\n";

  @TempDir Path folder;

  private Path rows;
  private Path destination;

  @BeforeEach
  void writeGoodRows() throws IOException {
    rows = GoldenFiles.rows("train.json", 8, folder);
    destination = folder.resolve("out");
  }

  @Test
  void brokenJsonOnLineSevenIsNamedByItsLine() throws IOException {
    Path broken = folder.resolve("broken.jsonl");
    Files.writeString(broken, ROW.repeat(6) + "{\"instruction\": \"What\n" + ROW);

    assertEnds(sft(GoldenFiles.base("tiny-llama"), broken), 65, "broken.jsonl:7", "broken JSON");
  }

  @Test
  void anAlpacaRowWithAnEmptyOutputIsNamedByItsLine() throws IOException {
    Path empty = folder.resolve("empty.jsonl");
    Files.writeString(empty, ROW + "{\"instruction\": \"Say nothing.\", \"output\": \"\"}\n" + ROW);

    assertEnds(sft(GoldenFiles.base("tiny-llama"), empty), 65, "empty.jsonl:2", "output");
  }

  @Test
  void allFaultsAreCountedAndTheFirstTwentyShown() throws IOException {
    Path empty = folder.resolve("empty.jsonl");
    Files.writeString(empty, "{\"instruction\": \"Say nothing.\", \"output\": \"\"}\n".repeat(23));

    Program end = sft(GoldenFiles.base("tiny-llama"), empty);

    assertEnds(end, 65, "23 faults", "empty.jsonl:20", "3 more");
    assertThat(end.err()).doesNotContain("empty.jsonl:21");
  }

  @Test
  void rowsThatTruncationLeavesWithoutASupervisedTokenAreAnError() {
    Program end =
        sft(
            GoldenFiles.base("tiny-llama"),
            rows,
            "--max_length",
            "8",
            "--truncation_strategy",
            "right");

    assertEnds(end, 65, "nothing to learn", "maxLength");
  }

  @Test
  void aModelFolderThatIsMissingIsNamedAsTheRecipeNamesIt() {
    assertEnds(sft(folder.resolve("nowhere"), rows), 66, "nowhere doesn't exist");
  }

  @Test
  void aModelFolderWithoutConfigIsAnError() throws IOException {
    Path model = GoldenFiles.copy("tiny-llama", folder);
    Files.delete(model.resolve("config.json"));

    assertEnds(sft(model, rows), 66, "config.json doesn't exist");
  }

  @Test
  void anArchitectureThatIsNotSupportedIsNamedWithThoseThatAre() throws IOException {
    Path model = GoldenFiles.copy("tiny-llama", folder);
    ObjectNode config =
        (ObjectNode) GoldenFiles.JSON.readTree(model.resolve("config.json").toFile());
    config.putArray("architectures").add("MambaForCausalLM");
    Files.write(model.resolve("config.json"), GoldenFiles.JSON.writeValueAsBytes(config));

    assertEnds(sft(model, rows), 66, "MambaForCausalLM", "LlamaForCausalLM", "Qwen2ForCausalLM");
  }

  @Test
  void aSafetensorsFileThatIsCutShortIsAnError() throws IOException {
    Path model = GoldenFiles.copy("tiny-llama", folder);
    Path weights = model.resolve("model.safetensors");
    try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - 1000);
    }

    assertEnds(sft(model, rows), 66, "model.safetensors", "cut short");
  }

  @Test
  void aSafetensorsHeaderThatClaimsMoreThanTheFileHoldsIsAnError() throws IOException {
    Path model = GoldenFiles.copy("tiny-llama", folder);
    Path weights = model.resolve("model.safetensors");
    try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(length.putLong(channel.size() * 2).flip(), 0);
    }

    assertEnds(sft(model, rows), 66, "model.safetensors", "header");
  }

  @Test
  void anUnknownRecipeFieldIsNamedWithTheNearestOne() throws IOException {
    Path recipe = recipe("training: {epoch: 3}");

    assertEnds(
        Program.run("sft", "--recipe", recipe.toString()), 64, "recipe.training.epoch", "epochs");
  }

  @Test
  void everyViolationOfTheSchemaIsListedAtOnce() throws IOException {
    Path recipe = recipe("training: {epochs: 0, learningRate: 2, schedule: Polynomial}");

    assertEnds(
        Program.run("sft", "--recipe", recipe.toString()),
        64,
        "recipe.training.epochs",
        "recipe.training.learningRate",
        "recipe.training.schedule");
  }

  @Test
  void aRecipeThatIsNotYamlIsNamedByItsLine() throws IOException {
    Path recipe = folder.resolve("recipe.yaml");
    Files.writeString(recipe, "model:\n  source: 'file:///x\n");

    assertEnds(Program.run("sft", "--recipe", recipe.toString()), 64, "isn't YAML", "line");
  }

  @Test
  void aDestinationBelowARegularFileIsAnError() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    destination = file.resolve("out");

    assertEnds(sft(GoldenFiles.base("tiny-llama"), rows), 73, "file/out", "can't be written");
  }

  @Test
  void aDestinationInProcIsAnError() {
    destination = Path.of("/proc/finetune");

    assertEnds(sft(GoldenFiles.base("tiny-llama"), rows), 73, "/proc/finetune", "can't be written");
  }

  @Test
  void aTargetThatNamesNoLayerIsAnError() {
    assertEnds(
        sft(GoldenFiles.base("tiny-llama"), rows, "--target_modules", "qproj"),
        64,
        "qproj",
        "q_proj");
  }

  @Test
  void nothingOfARefusedRunIsLeftAsACheckpoint() throws IOException {
    sft(GoldenFiles.base("tiny-llama"), rows, "--target_modules", "qproj");

    try (Stream<Path> children = Files.list(destination)) {
      assertThat(children.map(child -> child.getFileName().toString()))
          .doesNotContain("adapter")
          .noneMatch(name -> name.startsWith("checkpoint-"));
    }
  }

  private Program sft(Path model, Path data, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "sft",
                "--model",
                model.toString(),
                "--dataset",
                data.toString(),
                "--output_dir",
                destination.toString()));
    arguments.addAll(List.of(more));
    return Program.run(arguments.toArray(String[]::new));
  }

  private Path recipe(String training) throws IOException {
    Path recipe = folder.resolve("recipe.yaml");
    Files.writeString(
        recipe,
        """
        model: {source: "file:///models/tiny"}
        dataset: {train: [{source: "file:///data/rows.json"}]}
        method: {lora: {rank: 8}}
        output: {destination: "file:///out"}
        """
            + training
            + "\n");
    return recipe;
  }

  /** One clear message, and no trace. */
  private static void assertEnds(Program end, int code, String... parts) {
    assertThat(end.err()).contains(parts).startsWith("trainer: ").doesNotContain("\tat ");
    assertThat(end.code()).isEqualTo(code);
  }
}
