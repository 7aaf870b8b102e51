package dev.finetune.trainer.train;

/** Asks a run to end at the next place where it can be gone on from. May be set by any thread. */
public final class StopSignal {
  private volatile boolean requested;

  /** Asks the run to end. */
  public void request() {
    requested = true;
  }

  /** Whether the run was asked to end. */
  public boolean requested() {
    return requested;
  }
}
