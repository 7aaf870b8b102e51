package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sft} with one replica laid over several CPU "devices". */
class LayersTest {
  @TempDir Path folder;

  @BeforeEach
  void writeRows() throws IOException {
    GoldenFiles.rows("train.json", 12, folder);
  }

  private Program sft(String destination, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "sft",
                "--model",
                GoldenFiles.base("tiny-llama").toString(),
                "--dataset",
                folder.resolve("train.json").toString(),
                "--output_dir",
                folder.resolve(destination).toString(),
                "--max_steps",
                "4",
                "--max_grad_norm",
                "0",
                "--batch_size",
                "1",
                "--gradient_accumulation_steps",
                "3",
                "--max_length",
                "128",
                "--truncation_strategy",
                "right",
                "--logging_steps",
                "1",
                "--split_dataset_ratio",
                "0"));
    arguments.addAll(List.of(more));
    return Program.run(arguments.toArray(String[]::new));
  }

  @Test
  void aRunOverTwoDevicesIsTheRunOnOneDevice() throws IOException {
    Program one = sft("one", "--device", "cpu");
    Program two = sft("two", "--device", "cpu,cpu", "--device_max_memory", "1GB", "900MiB");

    assertThat(one.code()).as(one.err()).isZero();
    assertThat(two.code()).as(two.err()).isZero();
    assertThat(two.out())
        .contains("\"layers\":[\"device", "adapter+optimizer", "0.88 GiB")
        .contains("1 of these 2 devices are enough for a replica: --nproc_per_node 2");
    List<JsonNode> lines = GoldenFiles.log(folder.resolve("two"));
    List<JsonNode> same = GoldenFiles.log(folder.resolve("one"));
    assertThat(lines).hasSize(4).hasSameSizeAs(same);
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i).path("loss")).isEqualTo(same.get(i).path("loss"));
      // The squares are summed by device.
      double norm = same.get(i).path("gradientNorm").asDouble();
      assertThat(lines.get(i).path("gradientNorm").asDouble())
          .isCloseTo(norm, within(1e-12 * norm));
    }
    Map<String, HostTensor> expected = adapter("one");
    adapter("two")
        .forEach(
            (name, tensor) ->
                assertThat(tensor.bytes()).as(name).isEqualTo(expected.get(name).bytes()));
  }

  private Map<String, HostTensor> adapter(String destination) {
    return SafetensorsReader.read(
        folder.resolve(destination).resolve("checkpoint-4/adapter_model.safetensors"));
  }

  @Test
  void whatDoesntFitEndsBeforeTheModelIsLoaded() {
    Program end = sft("out", "--device", "cpu,cpu", "--device_max_memory", "1MB", "1MB");

    assertThat(end.code()).isEqualTo(71);
    assertThat(end.err()).contains("the model doesn't fit: cpu lacks", "layers 1");
    assertThat(end.out()).doesNotContain("\"parameters\"");
  }

  @Test
  void moreDevicesThanLayersAreRefused() {
    Program end = sft("out", "--device", "cpu,cpu,cpu", "--parallelism", "Layers");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("the model has 2 layers, so 1 of the 3 devices");
  }

  @Test
  void flagsThatDontFitEachOtherAreRefused() {
    assertThat(sft("out", "--parallelism", "Data", "--device_max_memory", "1GB").err())
        .contains("--device_max_memory lays the model's layers over the devices");
    assertThat(sft("out", "--device", "cpu,cpu", "--device_max_memory", "1GB").err())
        .contains("--device_max_memory has 1 sizes for 2 devices");
    assertThat(sft("out", "--device", "cpu,cpu", "--device_max_memory", "1GB", "1G").err())
        .contains("'1G' is no size");
    assertThat(
            sft(
                    "out",
                    "--device",
                    "cpu,cpu,cpu",
                    "--parallelism",
                    "Layers",
                    "--nproc_per_node",
                    "2")
                .err())
        .contains("3 devices (cpu, cpu, cpu) can't be shared evenly by 2 ranks");
    assertThat(sft("out", "--parallelism", "Pipeline").err()).contains("[DATA, LAYERS]");
  }

  @Test
  void theFlagsAreExplained() {
    assertThat(Program.run("sft", "--help").out())
        .contains("--parallelism", "--device_max_memory", "one copy laid over");
  }
}
