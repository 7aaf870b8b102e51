package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.trainer.method.GoldenInternVl;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A tutorial's command for InternVL2 on four GPUs, on a tiny InternVL2 and what is here. */
class InternVlIT {
  private static final GoldenInternVl GOLDEN = new GoldenInternVl("tiny-internvl-internlm2");
  private static final String QUESTION = "<image>Is the picture tall?";

  @TempDir static Path folder;

  /** The rows of the traces eight times, beside their pictures. */
  @BeforeAll
  static void copyRowsAndPictures() throws IOException {
    List<String> rows = Files.readAllLines(GoldenInternVl.root().resolve("data/train.jsonl"));
    Files.write(
        folder.resolve("train.jsonl"),
        Collections.nCopies(8, rows).stream().flatMap(List::stream).toList());
    Files.createDirectory(folder.resolve("images"));
    try (Stream<Path> pictures = Files.list(GoldenInternVl.root().resolve("images"))) {
      for (Path picture : pictures.toList()) {
        Files.copy(picture, folder.resolve("images").resolve(picture.getFileName()));
      }
    }
  }

  private static List<String> reference(String out) {
    Path output = folder.resolve(out);
    return List.of(
        ("sft --model_id_or_path %s --template_type internvl2 --dataset %s --lora_target_modules ALL"
                + " --lora_lr_ratio 16.0 --lora_rank 16 --learning_rate 1e-4 --num_train_epochs 5"
                + " --use_flash_attn True --gradient_accumulation_steps 4 --batch_size 2"
                + " --eval_steps 50 --save_steps 500 --neftune_noise_alpha 5 --model_type"
                + " internvl2-8b --device_max_memory 15GB 15GB --output_dir %s --logging_dir %s")
            .formatted(
                GOLDEN.base("orig"), folder.resolve("train.jsonl"), output, output.resolve("runs"))
            .split(" "));
  }

  @Test
  void theReferenceCommandTrainsResumesAndExports() throws Exception {
    TrainerProcess whole = TrainerProcess.start(folder, reference("whole"));
    assertThat(whole.exitCode()).as(whole.errors()).isZero();
    TrainerProcess ended = TrainerProcess.start(folder, reference("ended"));
    assertThat(ended.waitFor(() -> GoldenFiles.hasStep(folder.resolve("ended"), 5))).isTrue();
    ended.terminate();
    assertThat(ended.exitCode()).as(ended.errors()).isEqualTo(75);
    TrainerProcess resumed = TrainerProcess.start(folder, reference("ended"));
    assertThat(resumed.exitCode()).as(resumed.errors()).isZero();

    Path adapter = folder.resolve("whole/adapter");
    String tensors = "adapter_model.safetensors";
    assertThat(folder.resolve("ended/adapter").resolve(tensors))
        .hasSameBinaryContentAs(adapter.resolve(tensors));
    List<JsonNode> losses =
        GoldenFiles.log(folder.resolve("whole")).stream().filter(line -> line.has("loss")).toList();
    assertThat(losses.get(losses.size() - 1).path("loss").asDouble())
        .isLessThan(losses.get(0).path("loss").asDouble());
    JsonNode config = GoldenFiles.JSON.readTree(adapter.resolve("adapter_config.json").toFile());
    assertThat(config.path("target_modules"))
        .extracting(JsonNode::asText)
        .containsExactly(
            "attention.wo",
            "attention.wqkv",
            "feed_forward.w1",
            "feed_forward.w2",
            "feed_forward.w3",
            "mlp1.1",
            "mlp1.3");
    Set<String> expected = new TreeSet<>();
    GOLDEN
        .tensors("orig_lora_default/final/adapter_model.safetensors")
        .forEach((name, tensor) -> expected.add(name));
    assertThat(SafetensorsReader.read(adapter.resolve(tensors)).keySet())
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(Files.readString(adapter.resolve("README.md")))
        .contains("it adapts the language model of a model for pictures alone");

    assertMergesTo(adapter, folder.resolve("merged"));
  }

  /** The merged folder has the original's names and says what base and adapter say. */
  private static void assertMergesTo(Path adapter, Path merged) {
    Program export =
        Program.run("export", "--ckpt_dir", adapter.toString(), "--output_dir", merged.toString());
    assertThat(export.code()).as(export.err()).isZero();
    assertThat(SafetensorsReader.read(merged.resolve("model.safetensors")).keySet())
        .isEqualTo(
            SafetensorsReader.read(GOLDEN.base("orig").resolve("model.safetensors")).keySet());
    Map<String, HostTensor> together =
        logits("together", "--model", GOLDEN.base("orig").toString(), "--adapter", "" + adapter);
    Map<String, HostTensor> alone = logits("alone", "--model", merged.toString());
    assertThat(alone.get("ids.0").longs()).isEqualTo(together.get("ids.0").longs());
    assertThat(largestDifference(alone, together)).isLessThan(1e-4);
    Map<String, HostTensor> base = logits("base", "--model", GOLDEN.base("orig").toString());
    assertThat(largestDifference(alone, base)).isGreaterThan(1e-2);
  }

  private static Map<String, HostTensor> logits(String name, String... model) {
    Path file = folder.resolve(name + ".safetensors");
    List<String> arguments = new ArrayList<>(List.of("infer"));
    arguments.addAll(List.of(model));
    arguments.addAll(List.of("--prompt", QUESTION, "--logits", file.toString(), "--image"));
    arguments.add(folder.resolve("images/d.png").toString());
    Program infer = Program.run(arguments.toArray(String[]::new));
    assertThat(infer.code()).as(infer.err()).isZero();
    return SafetensorsReader.read(file);
  }

  private static double largestDifference(
      Map<String, HostTensor> one, Map<String, HostTensor> other) {
    FloatBuffer values = one.get("logits.0").floats();
    FloatBuffer others = other.get("logits.0").floats();
    assertThat(values.limit()).isEqualTo(others.limit());
    double largest = 0;
    for (int i = 0; i < values.limit(); i++) {
      largest = Math.max(largest, Math.abs(values.get(i) - others.get(i)));
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-internvl-internlm2, orig",
    "tiny-internvl-internlm2, hf",
    "tiny-internvl-qwen2, orig",
    "tiny-internvl-qwen2, hf"
  })
  void describesAPictureAsTheReferenceDoes(String name, String layout) {
    GoldenInternVl golden = new GoldenInternVl(name);
    Program infer =
        Program.run(
            "infer",
            "--model",
            golden.base(layout).toString(),
            "--template",
            "internvl2",
            "--system",
            golden.data().at("/settings/system").asText(),
            "--prompt",
            "Is the picture tall?",
            "--max_new_tokens",
            "12",
            "--image",
            folder.resolve("images/d.png").toString());

    assertThat(infer.code()).as(infer.err()).isZero();
    String expected = golden.data().path("greedy_base_text").asText().replace("<|im_end|>", "");
    assertThat(infer.out().strip()).isEqualTo(expected.strip());
  }

  @Test
  void rowsWithPicturesAreAnsweredInTheirOrder() throws IOException {
    Files.copy(GoldenInternVl.root().resolve("data/eval.jsonl"), folder.resolve("eval.jsonl"));
    Program infer =
        Program.run(
            "infer",
            "--model",
            GOLDEN.base("orig").toString(),
            "--system",
            GOLDEN.data().at("/settings/system").asText(),
            "--max_new_tokens",
            "12",
            "--dataset",
            folder.resolve("eval.jsonl").toString());

    assertThat(infer.code()).as(infer.err()).isZero();
    List<String> lines = infer.out().lines().toList();
    assertThat(lines).hasSize(2);
    assertThat(GoldenFiles.JSON.readTree(lines.get(0)).path("response").asText())
        .isEqualTo(GOLDEN.data().path("greedy_base_text").asText().replace("<|im_end|>", ""));
  }

  @Test
  void fullTuningOfEveryPartWritesAFolderOfTheSameNames() throws IOException {
    Program run =
        Program.run(
            ("sft --model %s --dataset %s --sft_type full --freeze_vit false --learning_rate 1e-4"
                    + " --max_steps 2 --batch_size 2 --split_dataset_ratio 0 --output_dir %s")
                .formatted(
                    new GoldenInternVl("tiny-internvl-qwen2").base("hf"),
                    folder.resolve("train.jsonl"),
                    folder.resolve("full"))
                .split(" "));

    assertThat(run.code()).as(run.err()).isZero();
    Map<String, HostTensor> before =
        new GoldenInternVl("tiny-internvl-qwen2").tensors("base_hf/model.safetensors");
    Map<String, HostTensor> after =
        SafetensorsReader.read(folder.resolve("full/model/model.safetensors"));
    assertThat(after.keySet()).isEqualTo(before.keySet());
    for (String part :
        List.of(
            "vision_tower.embeddings.patch_embeddings.projection.weight",
            "vision_tower.embeddings.position_embeddings",
            "multi_modal_projector.linear_1.weight",
            "language_model.model.embed_tokens.weight")) {
      assertThat(after.get(part).shape()).as(part).isEqualTo(before.get(part).shape());
      assertThat(after.get(part).floats()).as(part).isNotEqualTo(before.get(part).floats());
    }
  }

  @Test
  void aMissingPictureIsADataErrorWithFileAndLine() throws IOException {
    Path rows = folder.resolve("missing.jsonl");
    Files.writeString(
        rows, "{\"query\":\"What?\",\"response\":\"That.\",\"images\":[\"images/no.png\"]}\n");
    Program run =
        Program.run(
            "sft",
            "--model",
            GOLDEN.base("orig").toString(),
            "--dataset",
            rows.toString(),
            "--output_dir",
            folder.resolve("never").toString());

    assertThat(run.code()).isEqualTo(65);
    assertThat(run.err()).contains("missing.jsonl:1: the picture ", "images/no.png isn't there");
  }
}
