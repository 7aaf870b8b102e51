package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Optional;

/** Where a running trainer's progress comes from. */
public interface ProgressSource {

  /**
   * Asks the trainer in {@code pod}.
   *
   * @return empty where it doesn't answer in time or answers nonsense; it is asked again at the
   *     next interval, and since its answers are cumulative nothing is lost
   */
  Optional<Progress> progress(Pod pod);
}
