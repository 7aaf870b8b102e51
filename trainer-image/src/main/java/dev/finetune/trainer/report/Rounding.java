package dev.finetune.trainer.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers for reading. */
final class Rounding {
  private Rounding() {}

  static Double decimals(Double value, int decimals) {
    if (value == null || !Double.isFinite(value)) {
      return value;
    }
    return BigDecimal.valueOf(value).setScale(decimals, RoundingMode.HALF_EVEN).doubleValue();
  }

  static Double digits(double value, int significant) {
    return Double.isFinite(value)
        ? new BigDecimal(value).round(new MathContext(significant)).doubleValue()
        : value;
  }

  /** Such as 2.4/5; rounded down, so that an epoch is never shown as done before it is. */
  static String epochText(double epoch, int totalEpochs) {
    String done =
        BigDecimal.valueOf(epoch)
            .setScale(1, RoundingMode.DOWN)
            .stripTrailingZeros()
            .toPlainString();
    return done + "/" + totalEpochs;
  }
}
