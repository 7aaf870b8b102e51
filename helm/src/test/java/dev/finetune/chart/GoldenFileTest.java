package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GoldenFileTest {
  @ParameterizedTest
  @MethodSource("dev.finetune.chart.GoldenFile#all")
  void isWhatTheChartSays(GoldenFile file) {
    assertThat(file.path())
        .as("golden file; after a change of the chart run: %s", GoldenFile.COMMAND)
        .content()
        .isEqualTo(file.content());
  }
}
