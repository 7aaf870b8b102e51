package dev.finetune.trainer.report.tensorboard;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.trainer.report.EvaluationReport;
import dev.finetune.trainer.report.Rollback;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.StepReport;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * TensorBoard's event files in a destination's runs/, one for each attempt, with the tags that
 * transformers' Trainer uses. What a resumed or rolled back run does again is cut off the files of
 * before, so that each step has one value of each tag; the files of a run that was there before
 * this one began anew are removed. Files that another program wrote are left alone.
 */
public final class EventLog implements RunListener, Closeable {
  /** Its folder in the destination. */
  public static final String FOLDER = "runs";

  private static final String PREFIX = "events.out.tfevents.";
  private static final String SUFFIX = ".finetune";
  private static final String EVALUATION = "eval/";
  private static final double MILLIS_PER_SECOND = 1000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Path folder;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Consumer<String> warnings;
  private final FileChannel channel;
  private boolean failing;
  private long measuredFrom;
  private long nanos;
  private long tokens;

  private EventLog(
      Path folder,
      FileChannel channel,
      Clock clock,
      LongSupplier nanoTime,
      Consumer<String> warnings) {
    this.folder = folder;
    this.channel = channel;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.warnings = warnings;
    this.measuredFrom = nanoTime.getAsLong();
  }

  /**
   * Begins the file of an attempt.
   *
   * @param folder where the files lie; made where it isn't there
   * @param step the step that the run goes on from; 0 for a new run
   * @param evaluated whether that step's evaluation is behind it, or comes again
   * @param clock dates the events
   * @param nanoTime a clock for durations, such as {@link System#nanoTime}
   * @param warnings hears when events can't be written
   */
  public static EventLog open(
      Path folder,
      int step,
      boolean evaluated,
      Clock clock,
      LongSupplier nanoTime,
      Consumer<String> warnings)
      throws IOException {
    Files.createDirectories(folder);
    for (Path file : own(folder)) {
      if (!cut(file, step, evaluated)) {
        Files.delete(file);
      }
    }
    FileChannel channel =
        FileChannel.open(
            newFile(folder, clock), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    EventLog log = new EventLog(folder, channel, clock, nanoTime, warnings);
    log.append(ScalarEvent.version(log.now()));
    return log;
  }

  private static List<Path> own(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children
          .filter(child -> child.getFileName().toString().startsWith(PREFIX))
          .filter(child -> child.getFileName().toString().endsWith(SUFFIX))
          .sorted()
          .toList();
    }
  }

  /** TensorBoard reads files in the order of their names, which begin with the second. */
  private static Path newFile(Path folder, Clock clock) {
    long second = clock.instant().getEpochSecond();
    int number = 0;
    Path file;
    do {
      file = folder.resolve("%s%010d.%d%s".formatted(PREFIX, second, number, SUFFIX));
      number++;
    } while (Files.exists(file));
    return file;
  }

  /**
   * Removes the events beyond a step; a torn record and what stands behind it go too.
   *
   * @return whether the file still has a value
   */
  private static boolean cut(Path file, int step, boolean evaluated) throws IOException {
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
    int kept = 0;
    boolean values = false;
    Optional<ScalarEvent> event = next(content);
    while (event.isPresent() && stays(event.get(), step, evaluated)) {
      kept = content.position();
      values = values || !event.get().values().isEmpty();
      event = next(content);
    }
    if (kept < content.limit()) {
      try (FileChannel whole = FileChannel.open(file, StandardOpenOption.WRITE)) {
        whole.truncate(kept);
      }
    }
    return values;
  }

  private static Optional<ScalarEvent> next(ByteBuffer content) {
    try {
      return TfRecord.next(content).map(ScalarEvent::decoded);
    } catch (RuntimeException e) {
      // Whatever it is, it isn't what we write.
      return Optional.empty();
    }
  }

  private static boolean stays(ScalarEvent event, int step, boolean evaluated) {
    boolean evaluation =
        event.values().keySet().stream().anyMatch(tag -> tag.startsWith(EVALUATION));
    return event.step() < step || (event.step() == step && (evaluated || !evaluation));
  }

  @Override
  public void stepTaken(StepReport report) {
    long now = nanoTime.getAsLong();
    nanos += now - measuredFrom;
    measuredFrom = now;
    tokens += report.tokens();
  }

  @Override
  public void logged(StepReport report) {
    Map<String, Float> values = new LinkedHashMap<>();
    values.put("train/loss", (float) report.loss());
    values.put("train/token_accuracy", (float) report.tokenAccuracy());
    values.put("train/grad_norm", (float) report.gradientNorm());
    values.put("train/learning_rate", (float) report.learningRate());
    values.put("train/epoch", (float) report.epoch());
    if (nanos > 0) {
      values.put("train/tokens_per_second", (float) (tokens / (nanos / NANOS_PER_SECOND)));
    }
    nanos = 0;
    tokens = 0;
    append(new ScalarEvent(now(), report.step(), values).encoded());
  }

  @Override
  public void evaluated(EvaluationReport report) {
    Map<String, Float> values = new LinkedHashMap<>();
    values.put(EVALUATION + "loss", (float) report.loss());
    values.put(EVALUATION + "perplexity", (float) report.perplexity());
    values.put(EVALUATION + "token_accuracy", (float) report.tokenAccuracy());
    report
        .scores()
        .forEach(
            (score, value) ->
                values.put(EVALUATION + score.name().toLowerCase(Locale.ROOT), value.floatValue()));
    append(new ScalarEvent(now(), report.step(), values).encoded());
    measuredFrom = nanoTime.getAsLong();
  }

  @Override
  public void saved(Checkpoint checkpoint, Checkpoints all) {
    measuredFrom = nanoTime.getAsLong();
  }

  @Override
  public void rolledBack(Rollback rollback) {
    try {
      for (Path file : own(folder)) {
        var unused = cut(file, rollback.step(), rollback.evaluated());
      }
      channel.position(channel.size());
    } catch (IOException e) {
      warn(e);
    }
    measuredFrom = nanoTime.getAsLong();
  }

  private double now() {
    return clock.millis() / MILLIS_PER_SECOND;
  }

  private void append(byte[] event) {
    try {
      long start = channel.position();
      ByteBuffer record = ByteBuffer.wrap(TfRecord.of(event));
      try {
        while (record.hasRemaining()) {
          channel.write(record);
        }
        failing = false;
      } catch (IOException e) {
        channel.truncate(start);
        throw e;
      }
    } catch (IOException e) {
      warn(e);
    }
  }

  /** A disk that stays full is told of once. */
  private void warn(IOException e) {
    if (!failing) {
      warnings.accept(
          "TensorBoard's file in %s can't be written: %s; logging.jsonl has all of it"
              .formatted(folder, e.getMessage()));
    }
    failing = true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
