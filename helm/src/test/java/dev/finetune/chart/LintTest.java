package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import org.junit.jupiter.api.Test;

class LintTest {
  @Test
  void helmLintFindsNothingToSay() {
    LintResult result = new Helm(Chart.ofTests().folder()).lint().strict().call();

    assertThat(result.getMessages())
        .filteredOn(message -> !message.contains("icon is recommended"))
        .isEmpty();
    assertThat(result.isFailed()).isFalse();
  }
}
