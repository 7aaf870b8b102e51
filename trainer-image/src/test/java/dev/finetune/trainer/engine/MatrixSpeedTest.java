package dev.finetune.trainer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixSpeedTest {
  @ParameterizedTest
  @ValueSource(ints = {4, 2})
  void isAsManyOperationsAsAProcessorCanDo(int bytesPerNumber) {
    double flops = MatrixSpeed.flops("cpu", bytesPerNumber, Duration.ZERO);

    // From one slow core to the largest server: a count of operations that is wrong is far off.
    assertThat(flops).isBetween(1e7, 1e15);
  }
}
