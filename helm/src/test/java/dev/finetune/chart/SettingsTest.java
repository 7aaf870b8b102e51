package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.operator.config.OperatorConfig;
import io.smallrye.config.WithDefault;
import java.lang.reflect.Method;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** The operator's settings and the chart's values are the same, in name and in default. */
class SettingsTest {
  /** Settings that the chart makes from other values, or that mean nothing in a cluster. */
  private static final Set<String> NOT_IN_CONFIG =
      Set.of(
          "namespaces",
          "allowFileSources",
          "leaderElection",
          "lease.name",
          "lease.namespace",
          "trainer.image");

  /** Those that have their right value in a cluster without the chart. */
  private static final Set<String> NEVER_SET =
      Set.of("allowFileSources", "leaderElection", "lease.namespace");

  private static final Chart CHART = Chart.ofTests();

  @Test
  void everySettingIsAValueWithTheSameDefault() {
    Map<String, String> settings = settings("", OperatorConfig.class);

    assertThat(settings).containsKeys(NOT_IN_CONFIG.toArray(String[]::new));
    settings.keySet().removeAll(NOT_IN_CONFIG);
    assertThat(values("", CHART.yaml("values.yaml").get("config"))).isEqualTo(settings);
  }

  @Test
  void everySettingReachesTheOperatorUnderItsOwnName() {
    Set<String> variables =
        settings("", OperatorConfig.class).keySet().stream()
            .filter(setting -> !NEVER_SET.contains(setting))
            .map(SettingsTest::variable)
            .collect(Collectors.toSet());

    assertThat(
            Stream.of("everything", "namespaced")
                .flatMap(SettingsTest::environment)
                .filter(name -> name.startsWith("FINETUNE_"))
                .distinct())
        .containsExactlyInAnyOrderElementsOf(variables);
  }

  private static Stream<String> environment(String variant) {
    JsonNode container =
        CHART
            .object(Variant.named(variant).values(), "Deployment")
            .at("/spec/template/spec/containers/0");
    return StreamSupport.stream(container.get("env").spliterator(), false)
        .map(each -> each.get("name").asText());
  }

  /** The environment variable that MicroProfile Config reads for a property. */
  private static String variable(String setting) {
    return "FINETUNE_"
        + setting.replaceAll("([a-z])([A-Z])", "$1_$2").replace('.', '_').toUpperCase(Locale.ROOT);
  }

  private static Map<String, String> settings(String prefix, Class<?> type) {
    var settings = new TreeMap<String, String>();
    for (Method method : type.getDeclaredMethods()) {
      String name = prefix + method.getName();
      WithDefault preset = method.getAnnotation(WithDefault.class);
      if (method.getName().equals("toString")) {
        continue;
      }
      if (method.getReturnType().getEnclosingClass() == OperatorConfig.class) {
        settings.putAll(settings(name + ".", method.getReturnType()));
      } else {
        settings.put(name, preset == null ? "" : preset.value());
      }
    }
    return settings;
  }

  private static Map<String, String> values(String prefix, JsonNode node) {
    var values = new TreeMap<String, String>();
    node.properties()
        .forEach(
            each -> {
              String name = prefix + each.getKey();
              if (each.getValue().isObject()) {
                values.putAll(values(name + ".", each.getValue()));
              } else {
                values.put(name, each.getValue().asText());
              }
            });
    return values;
  }
}
