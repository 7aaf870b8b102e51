package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.ArrayList;
import java.util.List;

/** The faults of all rows of all files: the first twenty in full, the rest as a count. */
final class Faults {
  private static final int SHOWN = 20;

  private final List<String> shown = new ArrayList<>();
  private long count;

  void add(String origin, String message) {
    count++;
    if (shown.size() < SHOWN) {
      shown.add(origin + ": " + message);
    }
  }

  /**
   * Ends the program if there was a fault.
   *
   * @throws TrainerException with {@link TrainerExit#DATA}
   */
  void throwIfAny() {
    if (count == 0) {
      return;
    }
    StringBuilder message = new StringBuilder();
    message.append(count == 1 ? "1 fault" : count + " faults").append(" in the data:");
    shown.forEach(fault -> message.append("\n  ").append(fault));
    if (count > shown.size()) {
      message.append("\n  and ").append(count - shown.size()).append(" more");
    }
    throw new TrainerException(TrainerExit.DATA, message.toString());
  }
}
