package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminationMessageFileTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void aShortMessageIsWrittenWhole() throws IOException {
    TerminationMessage message =
        new TerminationMessage(
            TrainerExit.DONE, "the adapter is at pvc://m/adapter", null, progress(5));
    Path file = folder.resolve("termination-log");

    new TerminationMessageFile(file).write(message);

    assertThat(JSON.readValue(file.toFile(), TerminationMessage.class)).isEqualTo(message);
  }

  @Test
  void theOldestEpochsAreLeftOutFirst() throws IOException {
    byte[] bytes =
        TerminationMessageFile.bytes(
            new TerminationMessage(TrainerExit.DONE, "done", null, progress(200)));

    TerminationMessage read = JSON.readValue(bytes, TerminationMessage.class);
    List<EpochResult> epochs = read.progress().epochs();
    assertThat(bytes.length)
        .isBetween(TerminationMessage.MAX_BYTES - 120, TerminationMessage.MAX_BYTES);
    assertThat(epochs.get(epochs.size() - 1).epoch()).isEqualTo(200);
    assertThat(epochs.get(0).epoch()).isEqualTo(201 - epochs.size());
    assertThat(read.progress().checkpoints()).isEqualTo(progress(200).checkpoints());
    assertThat(read.message()).isEqualTo("done");
  }

  @Test
  void theLogsOldestLinesAreLeftOutAfterAllEpochsAndBeforeTheText() throws IOException {
    String text = "x".repeat(3000);
    String log = String.join("\n", "a".repeat(700), "b".repeat(600), "c".repeat(100));

    byte[] bytes =
        TerminationMessageFile.bytes(
            new TerminationMessage(TrainerExit.OUTPUT, text, log, progress(20)));

    TerminationMessage read = JSON.readValue(bytes, TerminationMessage.class);
    assertThat(bytes.length).isLessThanOrEqualTo(TerminationMessage.MAX_BYTES);
    assertThat(read.log()).isEqualTo("c".repeat(100));
    assertThat(read.message()).isEqualTo(text);
    assertThat(read.progress().epochs()).isEmpty();
  }

  @Test
  void aLongTextIsCutAtACharacterAfterAllEpochsAre() throws IOException {
    String text = "第七行不是 JSON \uD83D\uDE00 ".repeat(400);

    byte[] bytes =
        TerminationMessageFile.bytes(
            new TerminationMessage(TrainerExit.DATA, text, null, progress(3)));

    TerminationMessage read = JSON.readValue(bytes, TerminationMessage.class);
    assertThat(bytes.length).isBetween(2048, TerminationMessage.MAX_BYTES);
    assertThat(text).startsWith(read.message());
    assertThat(read.exit()).isEqualTo(TrainerExit.DATA);
    assertThat(read.progress().checkpoints()).isNotNull();
  }

  private static Progress progress(int epochs) {
    List<EpochResult> results =
        IntStream.rangeClosed(1, epochs)
            .mapToObj(i -> new EpochResult(i, i * 500, 1.6234, 1.5521, "2026-11-25T10:00:00Z"))
            .toList();
    Checkpoint checkpoint =
        new Checkpoint(
            500,
            1.0,
            "pvc://models/support-assistant/checkpoint-500",
            1L << 24,
            "ab".repeat(32),
            1.5);
    return new Progress(
        null, results, new Checkpoints(checkpoint, checkpoint, null), null, null, null);
  }
}
