package dev.finetune.operator.metrics;

import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetricsV2;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/**
 * The meters of the operator framework: reconciliations, events, queues.
 *
 * <p>Works around the Quarkus extension 7.7.3: its own producer hands out the no-op meters until a
 * MeterBinder's callback has run, and the operator is configured before that, so nothing is ever
 * recorded. This producer takes its place.
 */
class FrameworkMetrics {
  @Produces
  @Singleton
  Metrics metrics(MeterRegistry registry) {
    return MicrometerMetricsV2.newBuilder(registry).withNamespaceAsTag().build();
  }
}
