package dev.finetune.trainer.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorCastTest {
  /** Bit patterns by IEEE 754: ties to even, subnormal numbers, overflow to infinity. */
  @ParameterizedTest(name = "{0} is {1} in binary16")
  @CsvSource({
    "1, 3C00",
    "-2, C000",
    "65504, 7BFF",
    "65519.996, 7BFF",
    "65520, 7C00",
    "1.00048828125, 3C00", // half way from 1 to the next: the even one
    "1.00146484375, 3C02", // half way from the next to the one behind it
    "6.103515625E-5, 0400", // the smallest normal number
    "6.0975552E-5, 03FF", // the largest subnormal number
    "5.9604645E-8, 0001",
    "2.9802322E-8, 0000", // half of the smallest
    "-0.0, 8000",
    "Infinity, 7C00",
    "NaN, 7E00"
  })
  void float16IsRoundedToTheNearest(float value, String bits) {
    assertThat(Short.toUnsignedInt(TensorCast.float16(value)))
        .isEqualTo(Integer.parseInt(bits, 16));
  }

  @ParameterizedTest(name = "{0} is {1} in bfloat16")
  @CsvSource({
    "1, 3F80",
    "-3.5, C060",
    "1.00390625, 3F80", // half way from 1 to the next: the even one
    "1.01171875, 3F82",
    "1.0039064, 3F81",
    "3.4028235E38, 7F80",
    "NaN, 7FC0"
  })
  void bfloat16IsRoundedToTheNearest(float value, String bits) {
    assertThat(Short.toUnsignedInt(TensorCast.bfloat16(value)))
        .isEqualTo(Integer.parseInt(bits, 16));
  }
}
