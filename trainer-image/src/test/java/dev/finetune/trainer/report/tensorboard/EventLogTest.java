package dev.finetune.trainer.report.tensorboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.finetune.trainer.report.EvaluationReport;
import dev.finetune.trainer.report.Rollback;
import dev.finetune.trainer.report.StepReport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventLogTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-25T10:00:00.500Z"), ZoneOffset.UTC);

  @TempDir Path folder;

  private final AtomicLong nanos = new AtomicLong();

  @Test
  void theBytesAreTensorBoards() {
    // What tensorboard.compat's RecordWriter and Event.SerializeToString of 2.21.0 give.
    assertThat(HexFormat.of().formatHex(TfRecord.of(ScalarEvent.version(1.5))))
        .isEqualTo(
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
    var values = new LinkedHashMap<String, Float>();
    values.put("train/loss", 1.25f);
    values.put("train/epoch", 0.5f);
    assertThat(HexFormat.of().formatHex(TfRecord.of(new ScalarEvent(2.5, 300, values).encoded())))
        .isEqualTo(
            "3500000000000000d6c55de609000000000000044010ac022a270a110a0a747261696e2f6c6f7373"
                + "150000a03f0a120a0b747261696e2f65706f6368150000003ff1d2483b");
  }

  @Test
  void aLogLineHasTheTrainersTags() throws IOException {
    try (EventLog log = open(0, true)) {
      nanos.addAndGet(2_000_000_000L);
      log.stepTaken(report(1));
      log.logged(report(1));
      nanos.addAndGet(500_000_000L);
      log.evaluated(new EvaluationReport(1, 0.25, 1.5, 0.75));
      // What the evaluation took is not in the speed of the steps.
      nanos.addAndGet(1_000_000_000L);
      log.stepTaken(report(2));
      log.logged(report(2));
    }

    List<ScalarEvent> events = events();
    assertThat(events.get(0).values())
        .containsExactly(
            entry("train/loss", 1.5f),
            entry("train/token_accuracy", 0.25f),
            entry("train/grad_norm", 0.5f),
            entry("train/learning_rate", 1e-4f),
            entry("train/epoch", 0.25f),
            entry("train/tokens_per_second", 50f));
    assertThat(events.get(1).values())
        .containsExactly(
            entry("eval/loss", 1.5f),
            entry("eval/perplexity", (float) Math.exp(1.5)),
            entry("eval/token_accuracy", 0.75f));
    assertThat(events.get(2).values()).contains(entry("train/tokens_per_second", 100f));
    assertThat(events.get(2).step()).isEqualTo(2);
    assertThat(events.get(2).wallTime()).isEqualTo(CLOCK.millis() / 1000.0);
  }

  @Test
  void aResumedRunHasEachStepOnceInAFileOfItsOwn() throws IOException {
    write(0, 1, 2, 3, 4);
    write(2, 3, 4, 5);

    assertThat(files()).hasSize(2);
    assertThat(events().stream().map(ScalarEvent::step)).containsExactly(1L, 2L, 3L, 4L, 5L);
  }

  @Test
  void anEvaluationThatComesAgainIsCutOff() throws IOException {
    try (EventLog log = open(0, true)) {
      log.logged(report(2));
      log.evaluated(new EvaluationReport(2, 0.5, 1.5, 0.75));
    }
    open(2, false).close();

    assertThat(events()).hasSize(1);
  }

  @Test
  void aNewRunRemovesTheOldOnesFilesAndNoOtherPrograms() throws IOException {
    Path foreign = Files.writeString(folder.resolve("events.out.tfevents.1.host"), "x");
    write(0, 1, 2, 3);
    write(0, 1);

    assertThat(events().stream().map(ScalarEvent::step)).containsExactly(1L);
    assertThat(files()).hasSize(1);
    assertThat(foreign).hasContent("x");
  }

  @Test
  void aRecordThatIsTornByAKillIsCutOff() throws IOException {
    write(0, 1, 2, 3);
    byte[] whole = Files.readAllBytes(files().get(0));
    Files.write(files().get(0), Arrays.copyOf(whole, whole.length - 5));
    write(3, 4);

    assertThat(events().stream().map(ScalarEvent::step)).containsExactly(1L, 2L, 4L);
  }

  @Test
  void aRollbackCutsWhatComesAgain() throws IOException {
    try (EventLog log = open(0, true)) {
      log.logged(report(1));
      log.logged(report(2));
      log.logged(report(3));
      log.rolledBack(new Rollback(1, 0.25, true, 4, "NaN"));
      log.logged(report(2));
    }

    assertThat(events().stream().map(ScalarEvent::step)).containsExactly(1L, 2L);
  }

  private void write(int from, int... steps) throws IOException {
    try (EventLog log = open(from, true)) {
      for (int step : steps) {
        log.logged(report(step));
      }
    }
  }

  private EventLog open(int step, boolean evaluated) throws IOException {
    return EventLog.open(
        folder,
        step,
        evaluated,
        CLOCK,
        nanos::get,
        warning -> {
          throw new AssertionError(warning);
        });
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".finetune")).sorted().toList();
    }
  }

  /** The events with values of all files. */
  private List<ScalarEvent> events() throws IOException {
    List<ScalarEvent> events = new ArrayList<>();
    for (Path file : files()) {
      ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
      for (Optional<byte[]> data = TfRecord.next(content);
          data.isPresent();
          data = TfRecord.next(content)) {
        events.add(ScalarEvent.decoded(data.get()));
      }
      assertThat(content.hasRemaining()).isFalse();
    }
    events.removeIf(event -> event.values().isEmpty());
    return events;
  }

  private static StepReport report(int step) {
    return new StepReport(step, step / 4.0, 1.5, 0.25, 0.5, 1e-4, 100);
  }
}
