package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.EngineException;
import dev.finetune.api.v1alpha1.TrainerExit;
import org.junit.jupiter.api.Test;

class ProgramEndTest {
  @Test
  void aGpuThatFailsIsNoFaultOfTheTrainers() {
    var thrown =
        new IllegalStateException(
            new EngineException(
                """
                The following operation failed in the TorchScript interpreter.
                RuntimeError: CUDA error: uncorrectable ECC error encountered
                CUDA kernel errors might be asynchronously reported at some other API call
                """));

    ProgramEnd end = ProgramEnd.of(thrown);

    assertThat(end.exit()).isEqualTo(TrainerExit.DEVICE);
    assertThat(end.message())
        .startsWith("a GPU failed: ")
        .contains("CUDA error: uncorrectable ECC error encountered; ")
        .contains("nvidia-smi");
  }

  @Test
  void anythingElseIs() {
    ProgramEnd end =
        ProgramEnd.of(new EngineException("shape '[2]' is invalid for input of size 3"));

    assertThat(end.exit()).isEqualTo(TrainerExit.INTERNAL);
    assertThat(end.message()).contains("please report it");
  }
}
