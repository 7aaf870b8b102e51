package dev.finetune.trainer.distributed;

import java.time.Duration;

/**
 * Where and how the ranks find each other.
 *
 * @param masterAddress rank 0's host name or address; the name needn't resolve yet
 * @param masterPort where rank 0 listens
 * @param rank this process's number, from 0
 * @param size number of processes
 * @param startTimeout how long a rank waits for the others to start
 * @param timeout how long a collective waits for the slowest rank
 * @param device {@code cpu} or {@code cuda:N}
 */
public record Rendezvous(
    String masterAddress,
    int masterPort,
    int rank,
    int size,
    Duration startTimeout,
    Duration timeout,
    String device) {

  public Rendezvous {
    if (size < 1 || rank < 0 || rank >= size) {
      throw new IllegalArgumentException("rank " + rank + " of " + size);
    }
    if (!device.matches("cpu|cuda:\\d+")) {
      throw new IllegalArgumentException("not a device: " + device);
    }
  }

  boolean cuda() {
    return !device.equals("cpu");
  }

  /** HOST:PORT of rank 0. */
  String master() {
    return masterAddress + ":" + masterPort;
  }

  static String inWords(Duration duration) {
    if (duration.toMillis() < 1000) {
      return duration.toMillis() + " ms";
    }
    return duration.toSeconds() < 120 ? duration.toSeconds() + " s" : duration.toMinutes() + " min";
  }
}
