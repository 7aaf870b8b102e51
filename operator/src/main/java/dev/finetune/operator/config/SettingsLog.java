package dev.finetune.operator.config;

import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import org.jboss.logging.Logger;

/** Logs the settings once, as they came out of defaults, properties and environment. */
@Singleton
class SettingsLog {
  private static final Logger LOG = Logger.getLogger(SettingsLog.class);

  void write(@Observes StartupEvent start, OperatorConfig config) {
    LOG.infof("settings: %s", config);
  }
}
