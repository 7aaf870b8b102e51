package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.trainer.method.GoldenInternVl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {
  @TempDir Path folder;

  private Path rows;

  @BeforeEach
  void writeRows() throws IOException {
    rows = GoldenFiles.rows("train.json", 12, folder);
  }

  private Program plan(Path data, String... more) {
    return planOn("cpu", data, more);
  }

  private Program planOn(String devices, Path data, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "plan",
                "--model",
                GoldenFiles.base("tiny-llama").toString(),
                "--dataset",
                data.toString(),
                "--output_dir",
                folder.resolve("out").toString(),
                "--device",
                devices,
                "--max_length",
                "128",
                "--split_dataset_ratio",
                "0",
                "--batch_size",
                "2",
                "--gradient_accumulation_steps",
                "2",
                "--num_train_epochs",
                "2"));
    arguments.addAll(List.of(more));
    if (!arguments.contains("--flops")) {
      arguments.addAll(List.of("--flops", "0.001"));
    }
    return Program.run(arguments.toArray(String[]::new));
  }

  @Test
  void saysWhatTrainingWouldDoAndWritesNothing() {
    Program end = plan(rows, "--truncation_strategy", "right");

    assertThat(end.code()).as(end.err()).isZero();
    assertThat(end.out().lines())
        .anySatisfy(line -> assertThat(line).isEqualTo("rows       12: 12 to train on, 0 held out"))
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches("steps      3 an epoch, 6 in all, on 1 rank; \\d+ % .* padding"))
        .anySatisfy(line -> assertThat(line).matches("lengths +\\d+-\\d+ +\\d+ #+"))
        .anySatisfy(line -> assertThat(line).startsWith("packing    would compute "))
        .anySatisfy(line -> assertThat(line).startsWith("memory     cpu: layers 0-"))
        .anySatisfy(line -> assertThat(line).contains("TFLOP/s, as --flops says"));
    assertThat(end.out().lines()).allSatisfy(line -> assertThat(line).doesNotContain("null"));
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void theSameAsJsonAddsUp() throws IOException {
    Program end = plan(rows, "--truncation_strategy", "right", "--json");

    assertThat(end.code()).as(end.err()).isZero();
    JsonNode plan = GoldenFiles.JSON.readTree(end.out());
    int perBar = 0;
    for (JsonNode bar : plan.get("lengths")) {
      perBar += bar.get("rows").asInt();
    }
    assertThat(perBar).isEqualTo(12);
    assertThat(plan.at("/steps/perEpoch").asInt()).isEqualTo(3);
    assertThat(plan.at("/steps/total").asInt()).isEqualTo(6);
    long tokens = plan.path("work").path("tokens").asLong();
    assertThat(plan.at("/packed/computedTokens").asLong()).isEqualTo(tokens);
    assertThat(plan.path("work").path("computedTokens").asLong()).isGreaterThan(tokens);
    assertThat(plan.at("/packed/steps").asInt()).isBetween(1, 3);
    double perToken = plan.at("/time/flopsPerToken").asDouble();
    assertThat(plan.at("/time/seconds").asDouble())
        .isCloseTo(
            2 * plan.path("work").path("computedTokens").asLong() * perToken / 1e9, within(0.51));
    // The head, and seven matrices in each layer; the embedding is looked up.
    JsonNode config = GoldenFiles.json("tiny-llama/base/config.json");
    long size = config.get("hidden_size").asLong();
    long head = config.get("vocab_size").asLong() * size;
    assertThat(perToken / 6)
        .isGreaterThan((double) head)
        .isLessThan(plan.at("/devices/0/weights").asLong() / 4.0);
    assertThat(plan.at("/devices/0/sum").asLong())
        .isEqualTo(
            plan.at("/devices/0/weights").asLong()
                + plan.at("/devices/0/adapter").asLong()
                + plan.at("/devices/0/activations").asLong());
  }

  @Test
  void packingAndRanksChangeTheSteps() throws IOException {
    JsonNode packed = GoldenFiles.JSON.readTree(plan(rows, "--packing", "--json").out());
    JsonNode ranks =
        GoldenFiles.JSON.readTree(
            planOn("cpu,cpu", rows, "--truncation_strategy", "right", "--json").out());

    assertThat(packed.has("packed")).isFalse();
    assertThat(packed.path("work").path("computedTokens"))
        .isEqualTo(packed.path("work").path("tokens"));
    assertThat(ranks.at("/steps/ranks").asInt()).isEqualTo(2);
    assertThat(ranks.at("/steps/perEpoch").asInt()).isEqualTo(2);
  }

  @Test
  void layersOverDevicesAreListedEach() throws IOException {
    JsonNode plan =
        GoldenFiles.JSON.readTree(
            planOn("cpu,cpu", rows, "--parallelism", "Layers", "--json").out());

    assertThat(plan.get("devices")).hasSize(2);
    assertThat(plan.at("/steps/ranks").asInt()).isEqualTo(1);
  }

  @Test
  void wrongRowsEndItAsTheyEndTraining() throws IOException {
    Path broken = folder.resolve("broken.jsonl");
    Files.writeString(
        broken, "{\"instruction\": \"a\", \"output\": \"b\"}\n{\"instruction\": \"a\"\n");

    Program end = plan(broken);

    assertThat(end.code()).isEqualTo(65);
    assertThat(end.err()).contains("1 fault in the data:").contains("broken.jsonl:2: broken JSON");
    assertThat(plan(rows, "--epochz", "3").code()).isEqualTo(64);
    assertThat(plan(rows, "--flops", "0").err()).contains("--flops must be above 0");
    assertThat(plan(folder.resolve("none.json")).code()).isEqualTo(65);
  }

  @Test
  void aRegisteredDataSetIsFoundByItsName() throws IOException {
    Files.writeString(folder.resolve("info.yaml"), "mine: {path: train.json}\n");

    Program end =
        plan(Path.of("mine#5"), "--custom_dataset_info", folder.resolve("info.yaml").toString());

    assertThat(end.code()).as(end.err()).isZero();
    assertThat(end.out()).startsWith("rows       5: ");
    assertThat(
            plan(Path.of("yours"), "--custom_dataset_info", folder.resolve("info.yaml").toString())
                .err())
        .contains("--dataset yours: ")
        .contains("only mine");
  }

  /** The figures of docs/gpu.md. */
  @Test
  void plansInternVl2On4DevicesFromItsConfigurationAlone() throws IOException {
    Path model = Path.of("src/test/resources/internvl2-8b").toAbsolutePath();
    Program end =
        Program.run(
            ("plan --without_data --model_id_or_path %s --dataset nowhere.jsonl --template_type"
                    + " internvl2 --lora_target_modules ALL --lora_lr_ratio 16.0 --lora_rank 16"
                    + " --learning_rate 1e-4 --num_train_epochs 5 --use_flash_attn True"
                    + " --gradient_accumulation_steps 4 --batch_size 2 --eval_steps 50 --save_steps"
                    + " 500 --neftune_noise_alpha 5 --model_type internvl2-8b --device_max_memory"
                    + " 15GB 15GB 15GB 15GB --device cuda:0,cuda:1,cuda:2,cuda:3 --output_dir %s")
                .formatted(model, folder.resolve("out"))
                .split(" "));

    assertThat(end.code()).as(end.err()).isZero();
    // 8,075,365,376 of the model, and the adapter.
    assertThat(end.out())
        .contains("model      8,113,376,256 numbers, 38,010,880 that train")
        .contains("a tile takes 256 tokens, a picture up to 3,328; a row of maxLength 2,048 has")
        .contains("memory     cuda:0: layers 0-5, ")
        .contains("cuda:1: layers 6-14, ")
        .contains("cuda:2: layers 15-23, ")
        .contains("cuda:3: layers 24-31, ");
    String documented = Files.readString(Path.of("../docs/gpu.md"));
    end.out().lines().forEach(line -> assertThat(documented).contains("    " + line));
  }

  @Test
  void aTowerCountsOnTheFirstDevice() {
    Path model = Path.of("src/test/resources/internvl2-8b").toAbsolutePath();
    Program end =
        Program.run(
            "plan",
            "--without_data",
            "--model",
            model.toString(),
            "--dataset",
            "nowhere.jsonl",
            "--device",
            "cuda:0,cuda:1",
            "--device_max_memory",
            "1GB",
            "15GB",
            "--output_dir",
            folder.resolve("out").toString());

    assertThat(end.code()).isEqualTo(71);
    assertThat(end.err()).contains("the model doesn't fit: cuda:0 lacks ");
  }

  @Test
  void picturesCountAsTokensAndAsWorkOfTheTower() throws IOException {
    GoldenInternVl golden = new GoldenInternVl("tiny-internvl-internlm2");
    Path data = GoldenInternVl.root().resolve("data/train.jsonl");
    List<String> command = new ArrayList<>();
    command.addAll(List.of("plan", "--model", golden.base("orig").toString()));
    command.addAll(List.of("--dataset", data.toString(), "--json", "--flops", "0.001"));
    command.addAll(List.of("--image_folder", GoldenInternVl.root().toString()));
    command.addAll(List.of("--split_dataset_ratio", "0", "--max_tiles", "2", "--output_dir"));
    command.add(folder.resolve("out").toString());
    Program end = Program.run(command.toArray(String[]::new));

    assertThat(end.code()).as(end.err()).isZero();
    JsonNode plan = GoldenFiles.JSON.readTree(end.out());
    // With two tiles at most d.png has one of 1 x 2 and a thumbnail, and no picture has more.
    assertThat(plan.at("/pictures/pictures").asInt()).isEqualTo(6);
    assertThat(plan.at("/pictures/tiles").asInt()).isEqualTo(3 + 1 + 3 + 3 + 1 + 3);
    assertThat(plan.at("/pictures/most").asInt()).isEqualTo(3 * 9);
    // The tower's 37 positions twice, as the projector behind it trains, and its 9 pieces thrice.
    long tower = numbers(golden, "vision_model.");
    long projector = numbers(golden, "mlp1.");
    assertThat(plan.at("/time/flopsPerTile").asDouble())
        .isEqualTo(2.0 * (2 * 37 * tower + 3 * 9 * projector));
  }

  private static long numbers(GoldenInternVl golden, String part) {
    return golden.tensors("base_orig/model.safetensors").entrySet().stream()
        .filter(weight -> weight.getKey().startsWith(part))
        .mapToLong(weight -> weight.getValue().elements())
        .sum();
  }
}
