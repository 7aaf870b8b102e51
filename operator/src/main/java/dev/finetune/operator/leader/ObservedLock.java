package dev.finetune.operator.leader;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * A lock that remembers when its record was last seen to change. As in client-go this process's own
 * clock counts, not the time in the record, which another machine's clock wrote.
 */
final class ObservedLock implements Lock {
  private final Lock lock;
  private final Clock clock;
  private volatile LeaderElectionRecord record;
  private volatile Instant changed;

  ObservedLock(Lock lock, Clock clock) {
    this.lock = lock;
    this.clock = clock;
    this.changed = clock.instant();
  }

  /** Time since anybody renewed the lease, as far as this process has seen. */
  Duration age() {
    return Duration.between(changed, clock.instant());
  }

  /** Whether another process held the lease when it was last read. */
  boolean heldByAnother() {
    LeaderElectionRecord latest = record;
    if (latest == null) {
      return false;
    }
    String holder = latest.getHolderIdentity();
    return holder != null && !holder.isEmpty() && !holder.equals(identity());
  }

  @Override
  public LeaderElectionRecord get(KubernetesClient client) {
    LeaderElectionRecord present = lock.get(client);
    if (present != null && !present.equals(record)) {
      seen(present);
    }
    return present;
  }

  @Override
  public void create(KubernetesClient client, LeaderElectionRecord created) {
    lock.create(client, created);
    seen(created);
  }

  @Override
  public void update(KubernetesClient client, LeaderElectionRecord updated) {
    lock.update(client, updated);
    seen(updated);
  }

  @Override
  public String identity() {
    return lock.identity();
  }

  @Override
  public String describe() {
    return lock.describe();
  }

  private void seen(LeaderElectionRecord latest) {
    record = latest;
    changed = clock.instant();
  }
}
