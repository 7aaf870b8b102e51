package dev.finetune.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServingGuideTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"1,1", "6,8", "16,16", "17,32", "256,256", "257,320", "512,512"})
  void theRankIsTheNextThatVllmHasRoomFor(int rank, int served) throws IOException {
    String guide = guide("\"peft_type\": \"LORA\", \"r\": " + rank, "Auto");

    assertThat(guide)
        .contains(
            "Rank " + rank + ", from step 40 (epoch 2.50), validation loss 1.2500",
            "vllm serve /models/base --enable-lora --max-lora-rank " + served + " ",
            "its 2 tensors were read back",
            "the base's own chat template")
        .startsWith("---\nlibrary_name: peft\nbase_model: /models/base\n---\n\n# LoRA adapter");
  }

  @Test
  void theLargestRankOfAnyLayerCounts() throws IOException {
    assertThat(
            guide("\"peft_type\": \"LORA\", \"r\": 8, \"rank_pattern\": {\"q_proj\": 40}", "Auto"))
        .contains("--max-lora-rank 64 ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "`peft_type`: `LORA`, `r`: 8, `use_dora`: true|DoRA's magnitudes",
        "`peft_type`: `LORA`, `r`: 513|ranks up to 512, and this one is 513",
        "`peft_type`: `LORA`, `r`: 8, `modules_to_save`: [`lm_head`]|no whole modules",
        "`peft_type`: `LORA`, `r`: 8, `target_modules`: [`q_proj`, `lm_head`]|no embedding and no head",
        "`peft_type`: `LORA`, `r`: 8, `target_modules`: [`model.embed_tokens`]|no embedding and no head",
        "`peft_type`: `LORA`, `r`: 8, `target_modules`: [`attention.wqkv`, `mlp1.1`]|a model for pictures alone",
        "`peft_type`: `LORA`, `r`: 8, `target_modules`: [`self_attn.q_proj`, `attention.q_proj`]|for pictures alone"
      })
  void whatVllmRefusesIsSaidWithTheWayOut(String config, String reason) throws IOException {
    assertThat(guide(config.replace('`', '"'), "Auto"))
        .contains("vLLM can't load this adapter", reason, "trainer export")
        .doesNotContain("vllm serve");
  }

  @Test
  void whatIsNoLoraIsServedWithPeft() throws IOException {
    assertThat(guide("\"peft_type\": \"IA3\"", "Auto"))
        .contains("# IA3 adapter", "From step 40", "this one is IA3", "Serve it with PEFT")
        .doesNotContain("trainer export");
  }

  @Test
  void aTemplateInThePlaceOfTheBasesIsNamed() throws IOException {
    assertThat(guide("\"peft_type\": \"LORA\", \"r\": 8", "ChatML"))
        .contains("chat template ChatML in the place of the base's own", "--chat-template");
  }

  private String guide(String config, String template) throws IOException {
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"base_model_name_or_path\": \"/models/base\", " + config + "}");
    Files.writeString(
        folder.resolve("trainer_state.json"),
        "{\"run\": {\"recipe\": {\"model\": {\"template\": \"" + template + "\"}}}}");
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve("adapter_model.safetensors"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE)) {
      HostTensor one = HostTensor.ofFloats(new float[] {1}, 1, 1);
      SafetensorsWriter.write(channel, Map.of("a", one, "b", one));
    }
    return ServingGuide.markdown(
        folder, new Checkpoint(40, 2.5, "pvc://m/checkpoint-40", 10L, "ab", 1.25));
  }
}
