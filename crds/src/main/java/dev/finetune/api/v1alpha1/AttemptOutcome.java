package dev.finetune.api.v1alpha1;

/** How an attempt stands. */
public enum AttemptOutcome {
  /** Its Job exists and has not ended. */
  Running,
  /** It wrote the adapter. */
  Succeeded,
  /** It ended with an error. */
  Failed,
  /** It was ended from outside: suspended, evicted, preempted. */
  Interrupted
}
