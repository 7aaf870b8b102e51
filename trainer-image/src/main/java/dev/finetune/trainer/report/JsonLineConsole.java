package dev.finetune.trainer.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.io.PrintStream;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a run says where no person watches: one JSON line per log step, evaluation and checkpoint.
 */
public final class JsonLineConsole implements RunListener {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final PrintStream out;
  private final Supplier<Progress> progress;
  private final LastLines lastLines;

  /**
   * Reports to a stream.
   *
   * @param out where lines go
   * @param progress what is known, for speed and time left
   * @param lastLines keeps the end of what is said
   */
  public JsonLineConsole(PrintStream out, Supplier<Progress> progress, LastLines lastLines) {
    this.out = out;
    this.progress = progress;
    this.lastLines = lastLines;
  }

  @Override
  public void resolved(ObjectNode recipe) {
    print("recipe", recipe);
  }

  @Override
  public void checked(DatasetVerdict verdict) {
    print("dataset", verdict);
  }

  @Override
  public void planned(List<String> table) {
    print("layers", table);
  }

  @Override
  public void loaded(ParameterCounts counts) {
    print("parameters", counts);
  }

  @Override
  public void started(RunStart start) {
    if (start.step() > 0) {
      print("resumedFrom", start.checkpoints().resumedFrom());
    }
  }

  @Override
  public void logged(StepReport report) {
    TrainingProgress training = progress.get().training();
    ObjectNode line = LogFile.line(report);
    line.put("totalSteps", training.totalSteps());
    line.put("tokensPerSecond", training.tokensPerSecond());
    line.put("remainingSeconds", training.remainingSeconds());
    if (training.ranks() != null) {
      line.set("ranks", JSON.valueToTree(training.ranks()));
    }
    print(line);
  }

  @Override
  public void evaluated(int step, double epoch, double loss) {
    print(LogFile.line(step, epoch, loss));
  }

  @Override
  public void epochEnded(EpochResult result) {
    print("epochResult", result);
  }

  @Override
  public void saved(Checkpoint checkpoint, Checkpoints all) {
    print("checkpoint", checkpoint);
  }

  @Override
  public void noted(String flag) {
    print("flag", flag);
  }

  @Override
  public void warned(String message) {
    print("warning", message);
  }

  @Override
  public void finished(TrainingResult result) {
    print("result", result);
  }

  private void print(String name, Object value) {
    print(JSON.createObjectNode().<ObjectNode>set(name, JSON.valueToTree(value)));
  }

  private void print(ObjectNode object) {
    String line = object.toString();
    out.println(line);
    lastLines.add(line);
  }
}
