package dev.finetune.operator.health;

import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.leader.Leadership;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Optional;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/**
 * Alive as long as somebody renews the lease. A leader that fails to renew it ends by itself; a
 * standby that fails to take one that nobody renews is restarted by this check, so that a cluster
 * isn't left without a leader.
 */
@Liveness
@ApplicationScoped
class LeaseLiveness implements HealthCheck {
  private static final String NAME = "leader lease";

  /** Times the lease's duration; a healthy takeover takes a little more than one. */
  private static final int PATIENCE = 3;

  private final Leadership leadership;
  private final OperatorConfig config;

  LeaseLiveness(Leadership leadership, OperatorConfig config) {
    this.leadership = leadership;
    this.config = config;
  }

  @Override
  public HealthCheckResponse call() {
    Optional<Duration> age = leadership.leaseAge();
    if (age.isEmpty()) {
      return HealthCheckResponse.up(NAME);
    }
    Duration longest = config.lease().duration().multipliedBy(PATIENCE);
    return HealthCheckResponse.named(NAME)
        .withData("ageSeconds", age.get().toSeconds())
        .status(age.get().compareTo(longest) <= 0)
        .build();
  }
}
