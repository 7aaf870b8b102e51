package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command of a tutorial for ms-swift 2.x on four GPUs, with the paths of a text model. */
class SwiftCommandIT {
  private static final Path EXAMPLES = Path.of("../examples").toAbsolutePath().normalize();

  @TempDir Path folder;

  @Test
  void theReferenceCommandTrainsAsItStands() throws IOException {
    Path out = folder.resolve("out");
    String command =
        "sft --model_id_or_path %s --template_type internvl2 --dataset %s --lora_target_modules ALL"
                .formatted(
                    EXAMPLES.resolve("models/tiny-chat"), EXAMPLES.resolve("data/assistant.json"))
            + " --lora_lr_ratio 16.0 --lora_rank 16 --learning_rate 1e-4 --num_train_epochs 5"
            + " --use_flash_attn True --gradient_accumulation_steps 4 --batch_size 2 --eval_steps"
            + " 50 --save_steps 500 --neftune_noise_alpha 5 --model_type internvl2-8b"
            + " --device_max_memory 15GB 15GB 15GB 15GB --output_dir %s --logging_dir %s"
                .formatted(out, out.resolve("runs"));

    Program run = Program.run(command.split(" "));

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("--lora_target_modules ALL: every linear layer but the head")
        .contains("--model_type internvl2-8b: the architecture is read from")
        .contains("--use_flash_attn True: the fastest attention")
        .contains("--device_max_memory 15GB 15GB 15GB 15GB: limits all that a device holds")
        .contains("\"layers\":[\"device");
    JsonNode recipe = ResolvedRecipe.readTree(out.resolve("recipe.yaml"));
    assertThat(recipe.at("/model/template").asText()).isEqualTo("InternVL2");
    assertThat(recipe.at("/method/lora/learningRateRatio").asDouble()).isEqualTo(16);
    assertThat(recipe.at("/method/lora/alpha").asDouble()).isEqualTo(32);
    assertThat(recipe.at("/training/neftuneAlpha").asDouble()).isEqualTo(5);
    List<JsonNode> losses = GoldenFiles.log(out).stream().filter(line -> line.has("loss")).toList();
    assertThat(losses.get(losses.size() - 1).path("loss").asDouble())
        .isLessThan(losses.get(0).path("loss").asDouble());
    assertThat(out.resolve("adapter/adapter_model.safetensors")).exists();
    try (var files = Files.list(out.resolve("runs"))) {
      assertThat(files).anyMatch(file -> file.getFileName().toString().contains("tfevents"));
    }
  }
}
