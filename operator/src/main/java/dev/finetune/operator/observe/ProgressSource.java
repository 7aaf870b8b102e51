package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.concurrent.CompletableFuture;

/** Where a running trainer's progress comes from. */
public interface ProgressSource {

  /**
   * Asks the trainer in {@code pod}, without waiting for it. One that doesn't answer in time or
   * answers nonsense is asked again later, and since its answers are cumulative nothing is lost.
   *
   * @return completes within the configured timeout, never exceptionally
   */
  CompletableFuture<Answer> ask(Pod pod);

  /**
   * What came back.
   *
   * @param reached whether the trainer took the question, as one that hangs still does; false says
   *     nothing about the trainer, only about the way to it
   * @param progress its progress; {@link Progress#NONE} where it gave none
   */
  record Answer(boolean reached, Progress progress) {
    static final Answer UNREACHABLE = new Answer(false, Progress.NONE);
    static final Answer SILENT = new Answer(true, Progress.NONE);
  }
}
