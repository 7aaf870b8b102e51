package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trainer as a pod starts it: a recipe file, claims in a folder, and what is read from it. */
class PodContractIT {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir Path folder;

  private Path recipe;
  private Path lastWords;

  @BeforeEach
  void mountClaims() throws IOException {
    recipe = folder.resolve("recipe.yaml");
    lastWords = folder.resolve("termination-log");
    Path volumes = Files.createDirectory(folder.resolve("volumes"));
    Files.createDirectory(volumes.resolve("data"));
    GoldenFiles.rows("train.json", 20, volumes.resolve("data"));
    Files.createDirectory(volumes.resolve("models"));
    Files.move(
        GoldenFiles.copy("tiny-qwen2", folder), volumes.resolve("models").resolve("tiny-qwen2"));
  }

  @Test
  void progressIsServedWhileItTrainsAndTheLastWordsHoldAll() throws Exception {
    writeRecipe("epochs: 8, batchSize: 2, gradientAccumulationSteps: 2, keepCheckpoints: 2");
    int port = freePort();
    TrainerProcess trainer = start(port);
    AtomicReference<Progress> seen = new AtomicReference<>(Progress.NONE);

    assertThat(trainer.waitFor(() -> hasStepped(port, seen)))
        .as("progress with a step before the end: " + trainer.errors())
        .isTrue();

    assertThat(trainer.exitCode()).as(trainer.errors()).isZero();
    assertThat(seen.get().training().totalEpochs()).isEqualTo(8);
    assertThat(seen.get().dataset().trainRows()).isEqualTo(19);
    assertThat(Files.size(lastWords)).isLessThanOrEqualTo(TerminationMessage.MAX_BYTES);
    TerminationMessage message =
        GoldenFiles.JSON.readValue(lastWords.toFile(), TerminationMessage.class);
    Progress last = message.progress();
    assertThat(message.exit()).isEqualTo(TrainerExit.DONE);
    assertThat(last.training().step()).isEqualTo(40);
    assertThat(last.training().progressPercentage()).isEqualTo(100);
    assertThat(last.epochs().get(last.epochs().size() - 1).epoch()).isEqualTo(8);
    assertThat(last.checkpoints().latest().location())
        .isEqualTo("pvc://models/tuned/checkpoint-40");
    assertThat(last.result().adapter()).isEqualTo("pvc://models/tuned/adapter");
    assertThat(last.parameters().trainable()).isPositive();
    assertThat(folder.resolve("volumes/models/tuned/adapter/adapter_model.safetensors")).exists();

    TrainerProcess again = start(freePort());
    assertThat(again.exitCode()).as(again.errors()).isZero();
    assertThat(GoldenFiles.JSON.readValue(lastWords.toFile(), TerminationMessage.class).message())
        .isEqualTo("the adapter of this recipe is already at pvc://models/tuned/adapter");
  }

  @Test
  void aDataFaultIsInTheLastWords() throws Exception {
    writeRecipe("epochs: 1");
    Files.writeString(folder.resolve("volumes/data/train.json"), "[{\"instruction\": 1}]");

    TrainerProcess trainer = start(freePort());

    assertThat(trainer.exitCode()).isEqualTo(65);
    TerminationMessage message =
        GoldenFiles.JSON.readValue(lastWords.toFile(), TerminationMessage.class);
    assertThat(message.exit()).isEqualTo(TrainerExit.DATA);
    assertThat(message.message()).contains("train.json:1");
  }

  private TrainerProcess start(int port) throws IOException {
    return TrainerProcess.start(
        folder,
        List.of("sft", "--recipe", recipe.toString()),
        Map.of(
            TrainerEnvironment.VOLUMES,
            folder.resolve("volumes").toString(),
            TrainerEnvironment.LISTEN,
            "127.0.0.1:" + port,
            TrainerEnvironment.TERMINATION_MESSAGE_FILE,
            lastWords.toString()));
  }

  private void writeRecipe(String training) throws IOException {
    Files.writeString(
        recipe,
        """
        model: {source: "pvc://models/tiny-qwen2"}
        dataset: {train: [{source: "pvc://data/train.json"}]}
        method: {lora: {rank: 4}}
        training: {%s}
        output: {destination: "pvc://models/tuned"}
        """
            .formatted(training));
  }

  private static boolean hasStepped(int port, AtomicReference<Progress> seen) {
    try {
      HttpResponse<String> answer =
          HTTP.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + Progress.PATH))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      seen.set(GoldenFiles.JSON.readValue(answer.body(), Progress.class));
      return seen.get().training() != null && seen.get().training().step() > 0;
    } catch (IOException e) {
      // It doesn't listen yet.
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
