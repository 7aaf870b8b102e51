package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicesTest {
  private static final List<String> CPU = List.of("cpu");

  @Test
  void everyGpuThatCanBeUsedIsUsed() {
    Devices devices =
        new Devices(Map.of("NVIDIA_VISIBLE_DEVICES", "0,1", "PYTORCH_FLAVOR", "cu128"), () -> 2);

    assertThat(devices.visible()).containsExactly("cuda:0", "cuda:1");
    assertThat(devices.warning(devices.visible())).isEmpty();
  }

  @Test
  void gpusThatTheImageIsBuiltForAndCantUseAreAnError() {
    Devices devices =
        new Devices(
            Map.of("NVIDIA_VISIBLE_DEVICES", "GPU-3f2a", "PYTORCH_FLAVOR", "cu128"), () -> 0);

    assertThatThrownBy(devices::visible)
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.DEVICE))
        .hasMessageContaining("NVIDIA_VISIBLE_DEVICES=GPU-3f2a")
        .hasMessageContaining("libtorch (cu128) can use none")
        .hasMessageContaining("nvidia-smi");
  }

  @Test
  void gpusThatTheImageHasNoUseForAreWarnedOf() {
    Devices devices =
        new Devices(Map.of("NVIDIA_VISIBLE_DEVICES", "0,1", "PYTORCH_FLAVOR", "cpu"), () -> 0);

    assertThat(devices.visible()).isEqualTo(CPU);
    assertThat(devices.warning(CPU))
        .hasValueSatisfying(
            text ->
                assertThat(text)
                    .contains("on the CPU", "NVIDIA_VISIBLE_DEVICES=0,1", "CUDA image"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "void", "none"})
  void noGpuGivenIsNothingToWarnOfEvenInTheCudaImage(String given) {
    Devices devices =
        new Devices(Map.of("NVIDIA_VISIBLE_DEVICES", given, "PYTORCH_FLAVOR", "cu128"), () -> 0);

    assertThat(devices.visible()).isEqualTo(CPU);
    assertThat(devices.warning(CPU)).isEmpty();
  }

  @Test
  void outsideOfAContainerTheCpuIsNothingToWarnOf() {
    Devices devices = new Devices(Map.of(), () -> 0);

    assertThat(devices.visible()).isEqualTo(CPU);
    assertThat(devices.warning(CPU)).isEmpty();
  }
}
