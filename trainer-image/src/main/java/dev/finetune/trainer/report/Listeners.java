package dev.finetune.trainer.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.util.List;
import java.util.function.Consumer;

/**
 * Passes each event on to several listeners, in their order.
 *
 * @param all the listeners
 */
public record Listeners(List<RunListener> all) implements RunListener {
  public Listeners {
    all = List.copyOf(all);
  }

  @Override
  public void resolved(ObjectNode recipe) {
    tell(each -> each.resolved(recipe));
  }

  @Override
  public void checked(DatasetVerdict verdict) {
    tell(each -> each.checked(verdict));
  }

  @Override
  public void loaded(ParameterCounts counts) {
    tell(each -> each.loaded(counts));
  }

  @Override
  public void started(RunStart start) {
    tell(each -> each.started(start));
  }

  @Override
  public void stepTaken(StepReport report) {
    tell(each -> each.stepTaken(report));
  }

  @Override
  public void logged(StepReport report) {
    tell(each -> each.logged(report));
  }

  @Override
  public void compared(RankSpeeds speeds) {
    tell(each -> each.compared(speeds));
  }

  @Override
  public void evaluated(int step, double epoch, double loss) {
    tell(each -> each.evaluated(step, epoch, loss));
  }

  @Override
  public void epochEnded(EpochResult result) {
    tell(each -> each.epochEnded(result));
  }

  @Override
  public void saved(Checkpoint checkpoint, Checkpoints checkpoints) {
    tell(each -> each.saved(checkpoint, checkpoints));
  }

  @Override
  public void planned(List<String> table) {
    tell(each -> each.planned(table));
  }

  @Override
  public void noted(String flag) {
    tell(each -> each.noted(flag));
  }

  @Override
  public void warned(String message) {
    tell(each -> each.warned(message));
  }

  @Override
  public void finished(TrainingResult result) {
    tell(each -> each.finished(result));
  }

  @Override
  public void ended() {
    tell(RunListener::ended);
  }

  private void tell(Consumer<RunListener> event) {
    all.forEach(event);
  }
}
