package dev.finetune.trainer.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "15GB,15000000000",
    "15GiB,16106127360",
    "15gIB,16106127360",
    "15000MB,15000000000",
    "512MiB,536870912",
    "14.5GB,14500000000",
    "0.5GiB,536870912",
    "1KB,1000",
    "1 KiB,1024",
    "1TB,1000000000000",
    "1TiB,1099511627776",
    "' 15GB ',15000000000",
    "99999999999TiB,9223372036854775807"
  })
  void sizesAreReadAsSwiftReadsThem(String text, long bytes) {
    assertThat(ByteSize.parse(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "15", "GB", "15G", "15Gi", "-15GB", "15 GB x", "1.5.5GB", "1e3GB"})
  void whatIsNoSizeIsRefused(String text) {
    assertThatThrownBy(() -> ByteSize.parse(text))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.USAGE))
        .hasMessageContaining("'" + text + "' is no size")
        .hasMessageContaining("15GB");
  }

  @Test
  void bitsAndNothingAreRefused() {
    assertThatThrownBy(() -> ByteSize.parse("15Gb"))
        .hasMessage("'15Gb' ends in a small b, which is bits to some; write 15GB");
    assertThatThrownBy(() -> ByteSize.parse("0GB")).hasMessage("'0GB' must be above 0");
  }

  @Test
  void sizesAreShownInGib() {
    assertThat(ByteSize.gib(15_000_000_000L)).isEqualTo("13.97 GiB");
  }
}
