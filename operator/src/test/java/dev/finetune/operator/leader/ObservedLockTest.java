package dev.finetune.operator.leader;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.operator.MovingClock;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaderElectionRecord;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import org.junit.jupiter.api.Test;

class ObservedLockTest {
  private final MovingClock clock = new MovingClock();
  private final StoredLock stored = new StoredLock();
  private final ObservedLock lock = new ObservedLock(stored, clock);

  @Test
  void aLeaseThatAnotherRenewsStaysYoung() {
    stored.record = record(1);
    lock.get(null);
    clock.pass(Duration.ofSeconds(20));
    stored.record = record(2);
    lock.get(null);
    clock.pass(Duration.ofSeconds(3));

    assertThat(lock.age()).hasSeconds(3);
  }

  @Test
  void aLeaseThatNobodyRenewsGrowsOldHoweverOftenItIsRead() {
    stored.record = record(1);
    lock.get(null);
    clock.pass(Duration.ofSeconds(20));
    lock.get(null);
    clock.pass(Duration.ofSeconds(20));

    assertThat(lock.age()).hasSeconds(40);
  }

  @Test
  void ourOwnRenewalCounts() {
    clock.pass(Duration.ofSeconds(20));
    lock.update(null, record(1));

    assertThat(lock.age()).isEqualTo(Duration.ZERO);
    assertThat(stored.record).isEqualTo(record(1));
  }

  @Test
  void aLeaseThatWasNeverSeenIsAsOldAsTheProcess() {
    clock.pass(Duration.ofSeconds(7));
    lock.get(null);

    assertThat(lock.age()).hasSeconds(7);
  }

  private static LeaderElectionRecord record(int renewal) {
    var time = ZonedDateTime.of(2026, 1, 1, 0, 0, renewal, 0, ZoneOffset.UTC);
    return new LeaderElectionRecord("other", Duration.ofSeconds(15), time, time, 0);
  }

  /** A lock that is a field. */
  private static final class StoredLock implements Lock {
    private LeaderElectionRecord record;

    @Override
    public LeaderElectionRecord get(KubernetesClient client) {
      return record;
    }

    @Override
    public void create(KubernetesClient client, LeaderElectionRecord created) {
      record = created;
    }

    @Override
    public void update(KubernetesClient client, LeaderElectionRecord updated) {
      record = updated;
    }

    @Override
    public String identity() {
      return "us";
    }

    @Override
    public String describe() {
      return "a field";
    }
  }
}
