package dev.finetune.trainer.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What a run shows on a terminal: a bar with epoch, loss, speed and time left, drawn over itself,
 * and a line above it for each epoch and warning.
 */
public final class ProgressBar implements RunListener {
  private static final int WIDTH = 24;
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .build();

  /** Back to the line's beginning, and clear it (ECMA-48). */
  private static final String CLEAR = "\r\u001b[2K";

  private final PrintStream out;
  private final Supplier<Progress> progress;
  private boolean drawn;

  /**
   * Draws to a stream.
   *
   * @param out the terminal
   * @param progress what is known
   */
  public ProgressBar(PrintStream out, Supplier<Progress> progress) {
    this.out = out;
    this.progress = progress;
  }

  @Override
  public void resolved(ObjectNode recipe) {
    try {
      out.print(YAML.writeValueAsString(recipe));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
    out.println();
  }

  @Override
  public void checked(DatasetVerdict verdict) {
    out.printf(
        Locale.ROOT,
        "data: %d rows, %d to train on, %d held out, %d dropped; %d tokens to learn an epoch, longest row %d%n",
        verdict.rows(),
        verdict.trainRows(),
        verdict.validationRows(),
        verdict.dropped(),
        verdict.supervisedTokens(),
        verdict.maxLength());
  }

  @Override
  public void loaded(ParameterCounts counts) {
    out.printf(
        Locale.ROOT,
        "model: %,d parameters, %,d of them trained%n",
        counts.total(),
        counts.trainable());
  }

  @Override
  public void started(RunStart start) {
    if (start.step() > 0) {
      out.println("resumed from " + start.checkpoints().resumedFrom().location());
    }
    draw();
  }

  @Override
  public void stepTaken(StepReport report) {
    draw();
  }

  @Override
  public void evaluated(int step, double epoch, double loss) {
    draw();
  }

  @Override
  public void epochEnded(EpochResult result) {
    String evalLoss =
        result.evalLoss() == null
            ? ""
            : String.format(Locale.ROOT, ", validation loss %.4f", result.evalLoss());
    above(
        String.format(
            Locale.ROOT,
            "epoch %d done at step %d: loss %.4f%s",
            result.epoch(),
            result.step(),
            result.loss(),
            evalLoss));
  }

  @Override
  public void saved(Checkpoint checkpoint, Checkpoints all) {
    draw();
  }

  @Override
  public void planned(List<String> table) {
    table.forEach(this::above);
  }

  @Override
  public void noted(String flag) {
    above("flag: " + flag);
  }

  @Override
  public void warned(String message) {
    above("warning: " + message);
  }

  @Override
  public void finished(TrainingResult result) {
    above("adapter: " + result.adapter());
  }

  /** What comes next, an error for one, must not stand behind the bar. */
  @Override
  public void ended() {
    if (drawn) {
      out.println();
    }
  }

  private void above(String line) {
    out.print(CLEAR);
    out.println(line);
    draw();
  }

  private void draw() {
    TrainingProgress training = progress.get().training();
    if (training != null) {
      out.print(CLEAR + bar(training));
      out.flush();
      drawn = true;
    }
  }

  static String bar(TrainingProgress training) {
    int filled = WIDTH * training.step() / training.totalSteps();
    StringBuilder line = new StringBuilder();
    line.append('[').append("#".repeat(filled)).append(".".repeat(WIDTH - filled)).append(']');
    line.append(String.format(Locale.ROOT, " %3d%%", training.progressPercentage()));
    line.append("  epoch ").append(training.epochText());
    line.append("  step ").append(training.step()).append('/').append(training.totalSteps());
    if (training.loss() != null) {
      line.append(String.format(Locale.ROOT, "  loss %.4f", training.loss()));
    }
    if (training.evalLoss() != null) {
      line.append(String.format(Locale.ROOT, "  eval %.4f", training.evalLoss()));
    }
    if (training.tokensPerSecond() != null) {
      line.append(String.format(Locale.ROOT, "  %.0f tokens/s", training.tokensPerSecond()));
    }
    if (training.remainingSeconds() != null) {
      line.append("  ").append(duration(training.remainingSeconds())).append(" left");
    }
    return line.toString();
  }

  private static String duration(long seconds) {
    Duration left = Duration.ofSeconds(seconds);
    return left.toHours() > 0
        ? String.format(
            Locale.ROOT, "%d:%02d:%02d", left.toHours(), left.toMinutesPart(), left.toSecondsPart())
        : String.format(Locale.ROOT, "%d:%02d", left.toMinutes(), left.toSecondsPart());
  }
}
