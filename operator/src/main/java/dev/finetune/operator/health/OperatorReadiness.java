package dev.finetune.operator.health;

import dev.finetune.operator.leader.Leadership;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.RuntimeInfo;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/**
 * Ready when the operator works, or when it stands by to take over. The extension's own check,
 * which this one replaces (microprofile-config.properties switches it off), calls a standby not
 * ready for as long as the leader lives, so that a Deployment of two replicas never becomes
 * available.
 */
@Readiness
@ApplicationScoped
class OperatorReadiness implements HealthCheck {
  private final Operator operator;
  private final Leadership leadership;

  OperatorReadiness(Operator operator, Leadership leadership) {
    this.operator = operator;
    this.leadership = leadership;
  }

  @Override
  public HealthCheckResponse call() {
    HealthCheckResponseBuilder response = HealthCheckResponse.named("operator");
    RuntimeInfo operates = operator.getRuntimeInfo();
    if (operates.isStarted()) {
      operates
          .unhealthyEventSources()
          .forEach(
              (controller, sources) ->
                  response.withData(controller, String.join(", ", sources.keySet())));
      return response
          .withData("role", "leader")
          .status(operates.allEventSourcesAreHealthy())
          .build();
    }
    boolean standsBy = leadership.standsBy();
    return response.withData("role", standsBy ? "standby" : "starting").status(standsBy).build();
  }
}
