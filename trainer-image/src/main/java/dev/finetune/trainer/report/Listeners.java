package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import java.util.List;
import java.util.function.Consumer;

/**
 * Passes each event on to several listeners, in their order.
 *
 * @param all the listeners
 */
public record Listeners(List<TrainingListener> all) implements TrainingListener {
  public Listeners {
    all = List.copyOf(all);
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
  public void warned(String message) {
    tell(each -> each.warned(message));
  }

  private void tell(Consumer<TrainingListener> event) {
    all.forEach(event);
  }
}
