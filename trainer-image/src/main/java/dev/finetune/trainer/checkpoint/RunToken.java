package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.UUID;

/**
 * Who writes to a destination.
 *
 * @param job uid of the FineTuneJob; null outside a cluster
 * @param attempt number of its attempt, from 1; null outside a cluster
 * @param host name of the pod or the machine, for people
 * @param run tells this process from every other
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunToken(String job, Integer attempt, String host, String run) {

  /** The token of a pod of an attempt. */
  public static RunToken of(String job, int attempt, String host) {
    return new RunToken(job, attempt, host, UUID.randomUUID().toString());
  }

  /** The token of a process outside a cluster. */
  public static RunToken of(String host) {
    return new RunToken(null, null, host, UUID.randomUUID().toString());
  }

  boolean isSameJobAs(RunToken other) {
    return job != null && job.equals(other.job);
  }

  boolean isLaterThan(RunToken other) {
    return isSameJobAs(other) && attempt > other.attempt;
  }

  /** Names the run in a message. */
  String describe() {
    return job == null
        ? "a run on %s (%s)".formatted(host, run)
        : "attempt %d of FineTuneJob %s in pod %s".formatted(attempt, job, host);
  }
}
