package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Several ranks as processes: 33 rows in steps of 16, so that an epoch's last step has one row and
 * most ranks none.
 */
class RanksIT {
  private static final int SIGKILLED = 128 + 9;

  @TempDir static Path folder;

  private static List<JsonNode> alone;

  @BeforeAll
  static void trainAlone() throws Exception {
    GoldenFiles.rows("train.json", 37, folder);
    TrainerProcess run = TrainerProcess.start(folder, sft("alone", 1, 8));
    assertThat(run.exitCode()).as(run.errors()).isZero();
    alone = GoldenFiles.log(folder.resolve("alone"));
    List<JsonNode> steps = alone.stream().filter(line -> line.has("loss")).toList();
    assertThat(steps).hasSize(15);
    assertThat(steps.get(2).path("tokens").asInt()).isLessThan(60);
  }

  @Test
  void twoRanksTrainAsOneDoes() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("two", 2, 4));

    assertThat(run.exitCode()).as(run.errors()).isZero();
    assertSameTraining("two");
  }

  @Test
  void fourRanksTrainAsOneDoes() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("four", 4, 2));

    assertThat(run.exitCode()).as(run.errors()).isZero();
    assertSameTraining("four");
  }

  @Test
  void twoRanksWithTheModelOverTwoDevicesEachTrainAsOneDoes() throws Exception {
    List<String> arguments = new ArrayList<>(sft("layers", 2, 4));
    arguments.addAll(List.of("--parallelism", "Layers", "--device", "cpu,cpu,cpu,cpu"));
    TrainerProcess run = TrainerProcess.start(folder, arguments);

    assertThat(run.exitCode()).as(run.errors()).isZero();
    assertSameTraining("layers");
  }

  @Test
  void terminatedAllRanksStopAndAnotherNumberOfThemGoesOn() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("resharded", 2, 4));
    assertThat(run.waitFor(() -> hasStep("resharded", 4))).as(run.errors()).isTrue();
    run.terminate();
    assertThat(run.exitCode()).as(run.errors()).isEqualTo(75);
    assertThat(run.errors()).contains("stopped by a signal after step");

    TrainerProcess resumed = TrainerProcess.start(folder, sft("resharded", 4, 2));
    assertThat(resumed.waitFor(() -> hasStep("resharded", 10))).as(resumed.errors()).isTrue();
    resumed.terminate();
    assertThat(resumed.exitCode()).as(resumed.errors()).isEqualTo(75);

    TrainerProcess last = TrainerProcess.start(folder, sft("resharded", 1, 8));
    assertThat(last.exitCode()).as(last.errors()).isZero();
    assertSameTraining("resharded");
  }

  @Test
  void anotherNumberOfRowsPerStepIsAnotherRun() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("alone", 2, 8));

    assertThat(run.exitCode()).isEqualTo(64);
    assertThat(run.errors()).contains("a step takes 32 rows", "and took 16");
  }

  @Test
  void aKilledRankEndsAllAndTheNextAttemptGoesOn() throws Exception {
    Path lastWords = folder.resolve("killed-words");
    TrainerProcess run = start(sft("killed", 2, 4), lastWords);
    assertThat(run.waitFor(() -> hasStep("killed", 5))).as(run.errors()).isTrue();
    List<ProcessHandle> ranks = run.children();
    assertThat(ranks).hasSize(2);
    ranks.get(1).destroyForcibly();

    assertThat(run.exitCode()).as(run.errors()).isEqualTo(74);
    assertThat(ranks).noneMatch(ProcessHandle::isAlive);
    TerminationMessage words = words(lastWords);
    assertThat(words.exit()).isEqualTo(TrainerExit.RANK_LOST);
    assertThat(words.rank()).isEqualTo(1);
    assertThat(words.message()).matches("rank 1 on .* was ended by signal 9");
    assertThat(words.progress().training().step()).isGreaterThanOrEqualTo(5);
    assertThat(words.progress().checkpoints().latest().step()).isEqualTo(3);

    TrainerProcess resumed = TrainerProcess.start(folder, sft("killed", 2, 4));
    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertSameTraining("killed");
  }

  @Test
  void aRankThatHangsIsNamed() throws Exception {
    Path lastWords = folder.resolve("hung-words");
    List<String> arguments = new ArrayList<>(sft("hung", 2, 4));
    arguments.addAll(List.of("--ddp_timeout", "3"));
    TrainerProcess run = start(arguments, lastWords);
    assertThat(run.waitFor(() -> hasStep("hung", 5))).as(run.errors()).isTrue();
    List<ProcessHandle> ranks = run.children();
    new ProcessBuilder("kill", "-STOP", Long.toString(ranks.get(1).pid())).start().waitFor();

    assertThat(run.exitCode()).as(run.errors()).isEqualTo(74);
    assertThat(ranks).noneMatch(ProcessHandle::isAlive);
    TerminationMessage words = words(lastWords);
    assertThat(words.exit()).isEqualTo(TrainerExit.RANK_LOST);
    assertThat(words.rank()).isEqualTo(1);
    assertThat(words.message()).startsWith("Rank 1 of 2 is lost: no part taken for 3 s");
  }

  @Test
  void ranksEndWithTheirLauncher() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("orphaned", 2, 4));
    assertThat(run.waitFor(() -> hasStep("orphaned", 2))).as(run.errors()).isTrue();
    List<ProcessHandle> ranks = run.children();
    run.kill();

    assertThat(run.exitCode()).isEqualTo(SIGKILLED);
    for (ProcessHandle rank : ranks) {
      rank.onExit().get(1, TimeUnit.MINUTES);
    }
  }

  @Test
  void aFaultOfTheDataIsToldOnce() throws Exception {
    Path broken = Files.writeString(folder.resolve("broken.json"), "[{\"instruction\": 1}]");
    List<String> arguments = new ArrayList<>(sft("broken", 2, 4));
    arguments.set(arguments.indexOf("--dataset") + 1, broken.toString());
    TrainerProcess run = TrainerProcess.start(folder, arguments);

    assertThat(run.exitCode()).isEqualTo(65);
    assertThat(run.errors()).containsOnlyOnce("broken.json:1");
  }

  private static TrainerProcess start(List<String> arguments, Path lastWords) throws IOException {
    return TrainerProcess.start(
        folder,
        arguments,
        Map.of(TrainerEnvironment.TERMINATION_MESSAGE_FILE, lastWords.toString()));
  }

  private static TerminationMessage words(Path file) throws IOException {
    return GoldenFiles.JSON.readValue(file.toFile(), TerminationMessage.class);
  }

  private static void assertSameTraining(String destination) throws IOException {
    List<JsonNode> lines = GoldenFiles.log(folder.resolve(destination));
    assertThat(lines).hasSameSizeAs(alone);
    for (int i = 0; i < lines.size(); i++) {
      JsonNode line = lines.get(i);
      JsonNode expected = alone.get(i);
      for (String number : List.of("step", "loss", "evalLoss", "gradientNorm", "tokens")) {
        assertThat(line.has(number)).isEqualTo(expected.has(number));
        assertThat(line.path(number).asDouble())
            .as("%s of %s", number, line)
            .isCloseTo(expected.path(number).asDouble(), within(2e-5));
      }
    }
    Map<String, HostTensor> adapter = adapter(destination);
    adapter("alone").forEach((name, tensor) -> assertClose(name, adapter.get(name), tensor));
  }

  private static void assertClose(String name, HostTensor actual, HostTensor expected) {
    FloatBuffer wanted = expected.floats();
    FloatBuffer found = actual.floats();
    for (int i = 0; i < wanted.limit(); i++) {
      assertThat(found.get(i)).as(name).isCloseTo(wanted.get(i), within(2e-5f));
    }
  }

  private static Map<String, HostTensor> adapter(String destination) {
    return SafetensorsReader.read(
        folder.resolve(destination).resolve("adapter/adapter_model.safetensors"));
  }

  private static List<String> sft(String destination, int ranks, int batchSize) {
    return List.of(
        "sft",
        "--model",
        GoldenFiles.base("tiny-llama").toString(),
        "--dataset",
        folder.resolve("train.json").toString(),
        "--output_dir",
        folder.resolve(destination).toString(),
        "--nproc_per_node",
        Integer.toString(ranks),
        "--split_dataset_ratio",
        "0.11",
        "--num_train_epochs",
        "5",
        "--batch_size",
        Integer.toString(batchSize),
        "--gradient_accumulation_steps",
        "2",
        "--lora_rank",
        "4",
        "--lora_dropout",
        "0",
        "--learning_rate",
        "1e-3",
        "--logging_steps",
        "1",
        "--save_steps",
        "100");
  }

  private static boolean hasStep(String destination, int step) {
    return GoldenFiles.hasStep(folder.resolve(destination), step);
  }
}
