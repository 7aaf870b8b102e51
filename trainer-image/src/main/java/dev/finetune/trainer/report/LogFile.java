package dev.finetune.trainer.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * logging.jsonl: a JSON line for each log step and each evaluation, numbers in full precision.
 * After a resume the lines beyond the resumed step are cut off, so each step has one line.
 *
 * <p>While the disk is full, lines are kept in memory and written as soon as there is room.
 */
public final class LogFile implements RunListener, Closeable {
  /** Its name in the destination. */
  public static final String NAME = "logging.jsonl";

  private static final String EVAL_LOSS = "evalLoss";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final FileChannel channel;
  private final Consumer<String> warnings;
  private final ByteArrayOutputStream unwritten = new ByteArrayOutputStream();
  private boolean failing;

  private LogFile(Path file, FileChannel channel, Consumer<String> warnings) {
    this.file = file;
    this.channel = channel;
    this.warnings = warnings;
  }

  /**
   * Opens the log of a run.
   *
   * @param file the file; made where it isn't there
   * @param step the step that the run goes on from; 0 begins the file anew
   * @param evaluated whether that step's evaluation is behind it, or comes again
   * @param warnings hears when lines can't be written
   */
  public static LogFile open(Path file, int step, boolean evaluated, Consumer<String> warnings)
      throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    LogFile log = new LogFile(file, channel, warnings);
    log.cut(step, evaluated);
    return log;
  }

  private void cut(int step, boolean evaluated) throws IOException {
    int kept = lengthUpTo(step, evaluated, Files.readAllBytes(file));
    channel.truncate(kept);
    channel.position(kept);
  }

  /** Length of the lines that stay; a torn or foreign line ends them. */
  private static int lengthUpTo(int step, boolean evaluated, byte[] content) {
    int kept = 0;
    for (int i = 0; i < content.length; i++) {
      if (content[i] == '\n') {
        String line = new String(content, kept, i - kept, StandardCharsets.UTF_8);
        if (!stays(line, step, evaluated)) {
          return kept;
        }
        kept = i + 1;
      }
    }
    return kept;
  }

  private static boolean stays(String line, int step, boolean evaluated) {
    try {
      JsonNode node = JSON.readTree(line);
      int its = node.path("step").asInt(Integer.MAX_VALUE);
      return its < step || (its == step && (evaluated || !node.has(EVAL_LOSS)));
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  @Override
  public void logged(StepReport report) {
    append(line(report));
  }

  @Override
  public void evaluated(EvaluationReport report) {
    append(line(report));
  }

  /** The steps beyond the checkpoint come again; what happened stands in their place. */
  @Override
  public void rolledBack(Rollback rollback) {
    byte[] waiting = unwritten.toByteArray();
    unwritten.reset();
    unwritten.write(waiting, 0, lengthUpTo(rollback.step(), rollback.evaluated(), waiting));
    try {
      cut(rollback.step(), rollback.evaluated());
    } catch (IOException e) {
      warnings.accept(NAME + " can't be cut to step " + rollback.step() + ": " + e.getMessage());
    }
    append(
        line(rollback.step(), rollback.epoch())
            .put("rolledBackFrom", rollback.leftOutStep())
            .put("reason", rollback.reason()));
  }

  @Override
  public void leftOut(int step, double epoch) {
    append(line(step, epoch).put("leftOut", true));
  }

  /** What a checkpoint contains must be in the log that it is resumed with. */
  @Override
  public void saved(Checkpoint checkpoint, Checkpoints all) {
    try {
      channel.force(false);
    } catch (IOException e) {
      warnings.accept(NAME + " can't be flushed to the disk: " + e.getMessage());
    }
  }

  static ObjectNode line(int step, double epoch) {
    return JSON.createObjectNode().put("step", step).put("epoch", epoch);
  }

  static ObjectNode line(StepReport report) {
    return line(report.step(), report.epoch())
        .put("loss", report.loss())
        .put("tokenAccuracy", report.tokenAccuracy())
        .put("gradientNorm", report.gradientNorm())
        .put("learningRate", report.learningRate())
        .put("tokens", report.tokens());
  }

  static ObjectNode line(EvaluationReport report) {
    ObjectNode line =
        line(report.step(), report.epoch())
            .put(EVAL_LOSS, report.loss())
            .put("evalPerplexity", report.perplexity())
            .put("evalTokenAccuracy", report.tokenAccuracy());
    // The recipe's names of the scores: evalRougeL.
    report
        .scores()
        .forEach(
            (score, value) -> line.put("eval" + JSON.convertValue(score, String.class), value));
    return line;
  }

  private void append(ObjectNode line) {
    unwritten.writeBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      write(ByteBuffer.wrap(unwritten.toByteArray()));
      unwritten.reset();
      failing = false;
    } catch (IOException e) {
      if (!failing) {
        warnings.accept(NAME + " can't be written: " + e.getMessage() + "; its lines are kept");
      }
      failing = true;
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    long start = channel.position();
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // Half a line must not stay: the whole of it is written again.
      channel.truncate(start);
      channel.position(start);
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
