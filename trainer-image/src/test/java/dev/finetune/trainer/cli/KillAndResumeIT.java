package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run of 40 steps with dropout and shuffle, ended in every way and gone on with. */
class KillAndResumeIT {
  private static final int SIGKILLED = 128 + 9;

  @TempDir static Path folder;

  private static List<String> uninterrupted;

  @BeforeAll
  static void runUninterrupted() throws Exception {
    GoldenFiles.rows("train.json", 36, folder);
    TrainerProcess run = TrainerProcess.start(folder, sft("whole", 7));
    assertThat(run.exitCode()).as(run.errors()).isZero();
    uninterrupted = log("whole");
    assertThat(uninterrupted.stream().filter(line -> line.contains("\"loss\""))).hasSize(40);
  }

  @Test
  void killedAtARandomStepItGoesOnToTheLastBit() throws Exception {
    long seed = System.nanoTime();
    int step = new SplittableRandom(seed).nextInt(2, 38);
    System.out.printf("KillAndResumeIT: SIGKILL after step %d (seed %d)%n", step, seed);
    TrainerProcess run = TrainerProcess.start(folder, sft("killed", 7));
    assertThat(run.waitFor(() -> hasStep("killed", step))).as("lived until step %d", step).isTrue();
    run.kill();
    assertThat(run.exitCode()).isEqualTo(SIGKILLED);
    assertThat(folder.resolve("killed/adapter")).doesNotExist();

    TrainerProcess resumed = TrainerProcess.start(folder, sft("killed", 7));

    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertThat(log("killed")).isEqualTo(uninterrupted);
    assertSameAdapter("killed");
  }

  @Test
  void killedWhileItWritesACheckpointItResumesFromTheOneBefore() throws Exception {
    boolean torn = false;
    // A kill may come a moment too late for one write; the next one is tried then.
    for (int attempt = 0; attempt < 10 && !torn; attempt++) {
      TrainerProcess run = TrainerProcess.start(folder, sft("torn", 1));
      run.waitFor(() -> !names("torn", ".writing").isEmpty() && !names("torn", "0").isEmpty());
      run.kill();
      torn = !names("torn", ".writing").isEmpty();
    }
    assertThat(torn).as("killed in the middle of a write").isTrue();
    String unfinished = names("torn", ".writing").get(0);

    TrainerProcess resumed = TrainerProcess.start(folder, sft("torn", 1));

    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertThat(names("torn", ".writing")).as(unfinished).isEmpty();
    assertThat(log("torn").stream().filter(line -> line.contains("\"loss\"")))
        .containsExactlyElementsOf(
            uninterrupted.stream().filter(line -> line.contains("\"loss\"")).toList());
  }

  @Test
  void terminatedItSavesTheLastStepAndExitsWith75() throws Exception {
    TrainerProcess run = TrainerProcess.start(folder, sft("terminated", 1000));
    assertThat(run.waitFor(() -> hasStep("terminated", 5))).isTrue();
    run.terminate();

    assertThat(run.exitCode()).as(run.errors()).isEqualTo(75);
    List<String> lines = log("terminated");
    int last = GoldenFiles.JSON.readTree(lines.get(lines.size() - 1)).path("step").asInt();
    assertThat(folder.resolve("terminated/checkpoint-" + last + "/manifest.json")).exists();
    assertThat(run.errors())
        .contains("stopped by a signal after step " + last + " of 40", "checkpoint-" + last);

    TrainerProcess resumed = TrainerProcess.start(folder, sft("terminated", 1000));
    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();
    assertThat(log("terminated").stream().filter(line -> line.contains("\"loss\"")))
        .containsExactlyElementsOf(
            uninterrupted.stream().filter(line -> line.contains("\"loss\"")).toList());
  }

  private static List<String> sft(String destination, int saveSteps) {
    return List.of(
        "sft",
        "--model",
        GoldenFiles.base("tiny-llama").toString(),
        "--dataset",
        folder.resolve("train.json").toString(),
        "--output_dir",
        folder.resolve(destination).toString(),
        "--split_dataset_ratio",
        "0.11",
        "--num_train_epochs",
        "5",
        "--batch_size",
        "2",
        "--gradient_accumulation_steps",
        "2",
        "--lora_rank",
        "4",
        "--lora_dropout",
        "0.1",
        "--learning_rate",
        "1e-3",
        "--logging_steps",
        "1",
        "--save_steps",
        Integer.toString(saveSteps));
  }

  private static List<String> log(String destination) throws IOException {
    return Files.readAllLines(folder.resolve(destination).resolve("logging.jsonl"));
  }

  private static boolean hasStep(String destination, int step) {
    return GoldenFiles.hasStep(folder.resolve(destination), step);
  }

  /** The checkpoint folders whose names end so. */
  private static List<String> names(String destination, String end) {
    Path parent = folder.resolve(destination);
    if (!Files.exists(parent)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(parent)) {
      return children
          .map(child -> child.getFileName().toString())
          .filter(name -> name.contains("checkpoint-") && name.endsWith(end))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void assertSameAdapter(String destination) throws IOException {
    assertThat(folder.resolve(destination).resolve("adapter/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("whole/adapter/adapter_model.safetensors"));
  }
}
