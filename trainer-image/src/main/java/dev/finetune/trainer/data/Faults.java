package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.InvalidRowPolicy;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The faults of all rows of all files: the first twenty in full, the rest as a count. */
final class Faults {
  private static final int SHOWN = 20;

  private final InvalidRowPolicy policy;
  private final List<String> shown = new ArrayList<>();
  private long count;
  private boolean fatal;

  Faults(InvalidRowPolicy policy) {
    this.policy = policy;
  }

  /** Notes a row that can't be read. */
  void addRow(String origin, String message) {
    count++;
    if (shown.size() < SHOWN) {
      shown.add(origin + ": " + message);
    }
    fatal |= policy == InvalidRowPolicy.FAIL;
  }

  /** Notes that a file can't be read, or not to its end, which is never passed over. */
  void addFile(String origin, String message) {
    addRow(origin, message);
    fatal = true;
  }

  /**
   * Ends the program if there was a fault that isn't to be passed over.
   *
   * @throws TrainerException with {@link TrainerExit#DATA}
   */
  void throwIfAny() {
    if (fatal) {
      String faults = count == 1 ? "1 fault" : count + " faults";
      throw new TrainerException(TrainerExit.DATA, listed(faults + " in the data:"));
    }
  }

  /** Rows that are left out. */
  int skipped() {
    return Math.toIntExact(count);
  }

  /** Which rows are left out and why. */
  Optional<String> warning() {
    String rows = count == 1 ? "1 row is" : count + " rows are";
    return count == 0
        ? Optional.empty()
        : Optional.of(listed(rows + " left out, since they can't be read:"));
  }

  private String listed(String heading) {
    StringBuilder message = new StringBuilder(heading);
    shown.forEach(fault -> message.append("\n  ").append(fault));
    if (count > shown.size()) {
      message.append("\n  and ").append(count - shown.size()).append(" more");
    }
    return message.toString();
  }
}
