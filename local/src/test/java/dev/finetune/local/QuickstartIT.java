package dev.finetune.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * examples/quickstart.yaml as a newcomer runs it: the packaged application and the packaged
 * trainer, each in a process of its own.
 */
class QuickstartIT {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path MODEL = ROOT.resolve("examples/models/tiny-chat");
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @TempDir private Path data;

  @Test
  void theTinyModelLearnsWhoItIsAndTheStatusTellsTheStory()
      throws IOException, InterruptedException {
    FineTuneJobStatus status = status(finished(start()));

    assertThat(status.phase()).isEqualTo(Phase.SUCCEEDED);
    assertThat(status.epochs()).extracting(EpochResult::epoch).containsExactly(1, 2, 3, 4, 5);
    assertThat(status.epochs().get(4).loss()).isLessThan(status.epochs().get(0).loss() / 2);
    assertThat(status.epochs().get(4).evalLoss()).isLessThan(status.epochs().get(0).evalLoss());
    assertThat(status.parameters().trainable())
        .isPositive()
        .isLessThan(status.parameters().total() / 5);
    assertThat(status.checkpoints().latest().step()).isEqualTo(status.training().totalSteps());
    verify(status.checkpoints().latest());
    verify(status.checkpoints().best());
    assertThat(folder(status.result().adapter()))
        .isDirectoryContaining("glob:**/adapter_model.safetensors")
        .isDirectoryContaining("glob:**/adapter_config.json");

    String base = answer(Optional.empty());
    String tuned = answer(Optional.of(folder(status.result().adapter())));
    assertThat(base).isNotBlank().doesNotContain("Juniper");
    assertThat(tuned).contains("Juniper");
  }

  @Test
  void aTrainerThatGetsSigtermIsStartedAgainAndGoesOnFromItsCheckpoint()
      throws IOException, InterruptedException {
    Process cluster = start();
    await().atMost(PATIENCE).until(() -> Files.readString(log()).contains("epoch 1 "));
    ProcessHandle trainer =
        cluster
            .descendants()
            .filter(
                process ->
                    process
                        .info()
                        .arguments()
                        .map(Arrays::asList)
                        .filter(arguments -> arguments.contains("sft"))
                        .isPresent())
            .findFirst()
            .orElseThrow();

    trainer.destroy();

    FineTuneJobStatus status = status(finished(cluster));
    assertThat(status.phase()).isEqualTo(Phase.SUCCEEDED);
    assertThat(status.attempts())
        .extracting(Attempt::outcome)
        .containsExactly(AttemptOutcome.Interrupted, AttemptOutcome.Succeeded);
    assertThat(status.attempts().get(0).exitCode()).isEqualTo(75);
    assertThat(status.attempts().get(1).resumedFromStep()).isPositive();
    assertThat(status.failedAttempts()).isZero();
    assertThat(status.epochs()).hasSize(5);
  }

  private Path log() {
    return data.resolve("terminal");
  }

  private Process start() throws IOException {
    Path application = Path.of("target/quarkus-app/quarkus-run.jar").toAbsolutePath();
    assertThat(application).as("packaged by mvn package").exists();
    assertThat(ROOT.resolve("trainer-image/target/trainer.jar"))
        .as("packaged by mvn -pl trainer-image package")
        .exists();
    Files.createFile(log());
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElse("java"),
            "-jar",
            application.toString(),
            "run",
            "--apply",
            ROOT.resolve("examples/quickstart.yaml").toString(),
            "--data",
            data.toString(),
            "--trainer",
            ROOT.resolve("trainer-image/bin/trainer").toString(),
            "--claim",
            "models=" + ROOT.resolve("examples/models"),
            "--claim",
            "data=" + ROOT.resolve("examples/data"))
        .redirectErrorStream(true)
        .redirectOutput(log().toFile())
        .start();
  }

  private String finished(Process cluster) throws IOException, InterruptedException {
    try {
      assertThat(cluster.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as(() -> "it ends; so far: " + text())
          .isTrue();
      assertThat(cluster.exitValue()).as(this::text).isZero();
      return Files.readString(log());
    } finally {
      cluster.destroy();
    }
  }

  private String text() {
    try {
      return Files.readString(log());
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static FineTuneJobStatus status(String terminal) {
    String yaml = terminal.substring(terminal.indexOf("\nstatus:"));
    return Serialization.unmarshal(yaml, FineTuneJob.class).getStatus();
  }

  private Path folder(String location) {
    assertThat(location).startsWith("pvc://results/quickstart/");
    return data.resolve("volumes").resolve(location.substring("pvc://".length()));
  }

  /** A checkpoint's sha256 is that of its manifest, which in turn has that of each file. */
  private void verify(Checkpoint checkpoint) throws IOException {
    byte[] manifest = Files.readAllBytes(folder(checkpoint.location()).resolve("manifest.json"));
    assertThat(sha256(manifest)).isEqualTo(checkpoint.sha256());
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String answer(Optional<Path> adapter) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                ROOT.resolve("trainer-image/bin/trainer").toString(),
                "infer",
                "--model",
                MODEL.toString(),
                "--max_new_tokens",
                "60",
                "--prompt",
                "Who are you?"));
    adapter.ifPresent(folder -> command.addAll(List.of("--adapter", folder.toString())));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return answer;
  }
}
