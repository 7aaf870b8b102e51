package dev.finetune.operator;

import dev.finetune.operator.config.OperatorConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;

/** The operator's settings outside of a running application. */
public final class TestConfig {
  private TestConfig() {}

  /** Every setting at its default. */
  public static OperatorConfig defaults() {
    return with(Map.of());
  }

  /** The defaults but for some properties. */
  public static OperatorConfig with(Map<String, String> properties) {
    return new SmallRyeConfigBuilder()
        .addDefaultInterceptors()
        .withConverter(Duration.class, 200, new DurationConverter())
        .withMapping(OperatorConfig.class)
        .withSources(new PropertiesConfigSource(properties, "test", 100))
        .build()
        .getConfigMapping(OperatorConfig.class);
  }
}
