package dev.finetune.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import dev.finetune.trainer.safetensors.TensorCast;
import dev.finetune.trainer.safetensors.TensorType;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TunedModelFolderTest {
  @TempDir Path destination;
  @TempDir Path other;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-llama3"})
  void theResultIsACompleteModel(String name) throws IOException {
    GoldenModel golden = new GoldenModel(name);

    Map<String, HostTensor> tuned = tune(golden, golden.base(), Map.of("method.full", Map.of()));

    ModelFolder result = ModelFolder.open(destination.resolve("model"));
    Map<String, HostTensor> saved = tensors();
    assertThat(saved.keySet()).isEqualTo(tuned.keySet());
    tuned.forEach(
        (weight, values) ->
            assertThat(saved.get(weight).bytes()).as(weight).isEqualTo(values.bytes()));
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      assertThat(destination.resolve("model").resolve(file))
          .hasSameBinaryContentAs(golden.base().resolve(file));
    }
    assertThat(result.tiedHead()).isEqualTo(name.equals("tiny-llama3"));
  }

  @Test
  void whatWasFrozenIsTheBaseModels() throws IOException {
    GoldenModel golden = new GoldenModel("tiny-llama");

    tune(golden, golden.base(), Map.of("method.full.lastLayers", 1));

    Map<String, HostTensor> result = tensors();
    golden
        .tensors("base/model.safetensors")
        .forEach(
            (weight, values) -> {
              boolean frozen = weight.startsWith("model.layers.0.") || weight.contains("embed");
              assertThat(result.get(weight).bytes().equals(values.bytes()))
                  .as(weight)
                  .isEqualTo(frozen);
            });
  }

  @Test
  void aLargeModelIsCutIntoFilesWithAnIndex() throws IOException {
    GoldenModel golden = new GoldenModel("tiny-llama");

    Map<String, HostTensor> tuned =
        tune(golden, golden.base(), Map.of("method.full", Map.of()), 300_000);

    Path folder = destination.resolve("model");
    JsonNode index =
        new ObjectMapper().readTree(folder.resolve("model.safetensors.index.json").toFile());
    long total = tuned.values().stream().mapToLong(tensor -> tensor.bytes().remaining()).sum();
    assertThat(index.path("metadata").path("total_size").asLong()).isEqualTo(total);
    assertThat(index.path("weight_map").size()).isEqualTo(tuned.size());
    assertThat(folder.resolve("model-00001-of-00003.safetensors")).exists();
    assertThat(folder.resolve("model.safetensors")).doesNotExist();
    Map<String, HostTensor> saved = tensors();
    tuned.forEach(
        (weight, values) -> assertThat(saved.get(weight).bytes()).isEqualTo(values.bytes()));
  }

  @Test
  void weightsKeepTheirTypeRoundedToTheNearest() throws IOException {
    GoldenModel golden = new GoldenModel("tiny-llama");
    Map<String, HostTensor> halved = new LinkedHashMap<>();
    golden
        .tensors("base/model.safetensors")
        .forEach((weight, values) -> halved.put(weight, TensorCast.to(TensorType.BF16, values)));
    try (FileChannel file =
        FileChannel.open(
            other.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(file, halved);
    }
    Files.copy(golden.base().resolve("config.json"), other.resolve("config.json"));

    Map<String, HostTensor> tuned = tune(golden, other, Map.of("method.full", Map.of()));

    Map<String, HostTensor> result =
        SafetensorsReader.read(destination.resolve("model/model.safetensors"));
    tuned.forEach(
        (weight, values) -> {
          HostTensor saved = result.get(weight);
          assertThat(saved.dtype()).isEqualTo("BF16");
          for (int i = 0; i < values.floats().limit(); i++) {
            int bits = saved.bytes().getShort(2 * i) << 16;
            float exact = values.floats().get(i);
            assertThat(Math.abs(Float.intBitsToFloat(bits) - exact))
                .isLessThanOrEqualTo(Math.abs(exact) / 256);
          }
        });
  }

  private Map<String, HostTensor> tune(GoldenModel golden, Path base, Map<String, ?> method)
      throws IOException {
    return tune(golden, base, method, Long.MAX_VALUE);
  }

  /** What the result's files hold. */
  private Map<String, HostTensor> tensors() throws IOException {
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    try (var files = Files.newDirectoryStream(destination.resolve("model"), "*.safetensors")) {
      files.forEach(file -> tensors.putAll(SafetensorsReader.read(file)));
    }
    return tensors;
  }

  /** Takes a step, saves a checkpoint and the result of it; returns what trained. */
  private Map<String, HostTensor> tune(
      GoldenModel golden, Path base, Map<String, ?> method, long shardBytes) throws IOException {
    ModelFolder folder = ModelFolder.open(base);
    Destination place = new Destination(destination, "pvc://models/tuned");
    RunIdentity run =
        RunIdentity.of(
            JsonNodeFactory.instance.objectNode(), 1, "data", "model", "2026-11-25", Map.of());
    CheckpointStore store =
        new CheckpointScan(place, warning -> {}).open(run, RunToken.of("here"), 2);
    try (TunedModel model =
        TunedModel.create(
            GoldenModel.recipe(method, 0.1, 1.0, true), folder, "cpu", new SingleProcess())) {
      Batch batch = golden.trainBatch(0);
      model.accumulate(List.of(batch), batch.supervisedTokens(), micro -> 0, () -> false);
      model.step(1e-3);
      store.save(
          new TrainerState(
              1,
              LossSum.ZERO,
              LossSum.ZERO,
              new TrainerState.Logged(0.5, 0),
              null,
              List.of(),
              null),
          1,
          model);
      new TunedModelFolder(place, folder, OptionalLong.of(shardBytes)).write(store);
      return model.adapter();
    }
  }
}
