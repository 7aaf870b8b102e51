package dev.finetune.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.method.GoldenInternVl;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.model.ChangedWeights;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.WeightLocation;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportTest {
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String HEAD = "lm_head.weight";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"tiny-llama,lora", "tiny-llama3,lora", "tiny-qwen2,rslora", "tiny-qwen3,lora"})
  void aMergedModelHasTheValidationLossThatPeftsHas(String name, String variant)
      throws IOException {
    GoldenModel golden = new GoldenModel(name);
    Path target = folder.resolve("merged");

    String found = merged(golden, variant).writeTo(target, () -> {});

    double expected = golden.json(variant + "/trace.json").path("eval_loss_merged").asDouble();
    assertThat(lossOf(golden, target)).isEqualTo(expected, within(2e-5));
    assertThat(found).contains("5 prompts", "logits differ");
    assertThat(Files.readString(target.resolve("README.md"))).contains(found, "base_model:");
    assertThat(config(target).path("tie_word_embeddings").asBoolean())
        .isEqualTo(ModelFolder.open(golden.base()).tiedHead());
    assertThat(names(folder)).containsExactly("merged");
  }

  @Test
  void theFolderHasTheBasesTokenizerAndNoMore() throws IOException {
    GoldenModel golden = new GoldenModel("tiny-llama");
    Path base = copy(golden.base());
    Files.writeString(base.resolve("pytorch_model.bin"), "a pickle");
    Files.writeString(base.resolve("README.md"), "the base's");
    Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": [1, 2]}");
    ObjectNode config = (ObjectNode) config(base);
    config.put("tie_word_embeddings", false).put("torch_dtype", "float32");
    Files.writeString(base.resolve("config.json"), config.toString());
    Path target = folder.resolve("merged");

    new MergedModel(ModelFolder.open(base), golden.file("lora/final"), "cpu")
        .writeTo(target, () -> {});

    assertThat(names(target))
        .containsExactly(
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json");
    assertThat(config(target)).isEqualTo(config);
    assertThat(Files.readString(target.resolve("README.md"))).doesNotStartWith("the base's");
  }

  @Test
  void whatIsThereIsNotWrittenOver() throws IOException {
    Path target = Files.createDirectory(folder.resolve("merged"));

    assertThatThrownBy(
            () -> merged(new GoldenModel("tiny-llama"), "lora").writeTo(target, () -> {}))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("is there already");
    assertThat(names(target)).isEmpty();
  }

  @Test
  void aRunThatLostItsDestinationPutsNothingThere() throws IOException {
    Path target = folder.resolve("merged");

    assertThatThrownBy(
            () ->
                merged(new GoldenModel("tiny-llama"), "lora")
                    .writeTo(
                        target,
                        () -> {
                          throw new IOException("another's");
                        }))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("another's");
    assertThat(names(folder)).isEmpty();
  }

  @Test
  void anEmbeddingThatChangesIsNoLongerTheHead() throws IOException {
    ModelFolder base = ModelFolder.open(new GoldenModel("tiny-llama3").base());
    assertThat(base.tiedHead()).isTrue();

    Map<String, HostTensor> merged = export(base, EMBEDDING, 1L << 40);

    HostTensor before = tensors(base.path()).get(EMBEDDING);
    assertThat(config(folder).path("tie_word_embeddings").asBoolean(true)).isFalse();
    assertThat(merged.get(HEAD).bytes()).isEqualTo(before.bytes());
    assertThat(merged.get(EMBEDDING).floats().get(5)).isEqualTo(-before.floats().get(5));
    assertThat(ModelFolder.open(folder).tiedHead()).isFalse();
  }

  @Test
  void aHeadThatChangesIsNoLongerTheEmbedding() throws IOException {
    ModelFolder base = ModelFolder.open(new GoldenModel("tiny-llama3").base());

    Map<String, HostTensor> merged = export(base, HEAD, 1L << 40);

    HostTensor before = tensors(base.path()).get(EMBEDDING);
    assertThat(config(folder).path("tie_word_embeddings").asBoolean(true)).isFalse();
    assertThat(merged.get(EMBEDDING).bytes()).isEqualTo(before.bytes());
    assertThat(merged.get(HEAD).floats().get(5)).isEqualTo(-before.floats().get(5));
  }

  @Test
  void aLargeModelIsSeveralFilesWithAnIndex() throws IOException {
    ModelFolder base = ModelFolder.open(new GoldenModel("tiny-llama").base());
    String changed = "model.layers.1.mlp.down_proj.weight";

    Map<String, HostTensor> merged = export(base, changed, 100_000);

    Map<String, HostTensor> before = tensors(base.path());
    assertThat(names(folder)).contains("model-00001-of-00006.safetensors").hasSizeGreaterThan(6);
    assertThat(merged.keySet()).isEqualTo(before.keySet());
    merged.forEach(
        (name, tensor) -> {
          if (!name.equals(changed)) {
            assertThat(tensor.bytes()).as(name).isEqualTo(before.get(name).bytes());
          }
        });
    assertThat(merged.get(changed).floats().get(0)).isEqualTo(-before.get(changed).floats().get(0));
    // It opens as any model does.
    assertThat(ModelFolder.open(folder).parameters()).isEqualTo(base.parameters());
  }

  @Test
  void aWeightThatTheModelLacksIsRefused() {
    ModelFolder base = ModelFolder.open(new GoldenModel("tiny-llama").base());

    assertThatThrownBy(() -> export(base, "model.layers.9.mlp.down_proj.weight", 1L << 40))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("layers.9");
  }

  @Test
  void shardsOfInternVlHaveTheFoldersOwnNamesAndAreRead() throws IOException {
    Path original = new GoldenInternVl("tiny-internvl-internlm2").base("orig");
    String changed = "model.layers.1.self_attn.qkv_proj.weight";
    String name = "language_model.model.layers.1.attention.wqkv.weight";

    Map<String, HostTensor> written = export(ModelFolder.open(original), changed, 100_000);

    Map<String, HostTensor> before = tensors(original);
    assertThat(written.keySet()).isEqualTo(before.keySet());
    written.forEach(
        (each, tensor) -> {
          if (!each.equals(name)) {
            assertThat(tensor.bytes()).as(each).isEqualTo(before.get(each).bytes());
          }
        });
    assertThat(written.get(name).floats().get(5)).isEqualTo(-before.get(name).floats().get(5));
    assertThat(names(folder).stream().filter(file -> file.endsWith(".safetensors")).count())
        .isGreaterThan(4);
    assertThat(folder.resolve("tokenizer.json"))
        .hasSameBinaryContentAs(original.resolve("tokenizer.json"));
    assertThat(ModelFolder.open(folder).parameters())
        .isEqualTo(ModelFolder.open(original).parameters());
  }

  @Test
  void theCertificateFindsTheLargestDifferenceAndEveryOtherToken() {
    HostTensor expected = HostTensor.ofFloats(new float[] {1, 2, 3, 9, 5, 6}, 1, 2, 3);
    HostTensor actual = HostTensor.ofFloats(new float[] {1, 2.5f, 3, 9, 5, 10}, 1, 2, 3);

    MergeCertificate found = MergeCertificate.of(List.of(expected), List.of(actual));

    assertThat(found).isEqualTo(new MergeCertificate(1, 2, 4, 9, 1));
    assertThat(found.sentence()).contains("at most 4.0", "1 of 2 positions");
    HostTensor broken = HostTensor.ofFloats(new float[] {1, Float.NaN, 3, 9, 5, 6}, 1, 2, 3);
    assertThat(MergeCertificate.of(List.of(expected), List.of(broken)).largestDifference()).isNaN();
  }

  /** Exports a base of which one weight is negated. */
  private Map<String, HostTensor> export(ModelFolder base, String name, long shardBytes)
      throws IOException {
    ChangedWeights negated =
        new ChangedWeights() {
          @Override
          public Set<String> names() {
            return Set.of(name);
          }

          @Override
          public ByteBuffer rows(String which, WeightLocation location, long first, long rows) {
            HostTensor whole = SafetensorsReader.read(location.file()).get(location.entry().name());
            int columns = (int) whole.shape()[1];
            float[] values = new float[(int) rows * columns];
            for (int i = 0; i < values.length; i++) {
              values[i] = -whole.floats().get((int) first * columns + i);
            }
            return HostTensor.ofFloats(values, rows, columns).bytes().duplicate();
          }

          @Override
          public void close() {}
        };
    new ModelExport(base, negated, shardBytes)
        .writeTo(
            (file, content) -> {
              try (OutputStream out = Files.newOutputStream(folder.resolve(file))) {
                content.writeTo(out);
              }
            });
    return tensors(folder);
  }

  private static MergedModel merged(GoldenModel golden, String variant) {
    return new MergedModel(ModelFolder.open(golden.base()), golden.file(variant + "/final"), "cpu");
  }

  private static double lossOf(GoldenModel golden, Path model) {
    try (TrainableModel fresh =
        TunedModel.create(
            GoldenModel.recipe(
                GoldenModel.lora(0, LoraVariant.STANDARD, "all-linear"), 0, 0, false),
            ModelFolder.open(model),
            "cpu",
            new SingleProcess())) {
      List<Batch> batches = golden.evalBatches(4);
      return batches.stream().mapToDouble(batch -> fresh.evaluate(batch).nll()).sum()
          / batches.stream().mapToLong(Batch::supervisedTokens).sum();
    }
  }

  private static Map<String, HostTensor> tensors(Path model) throws IOException {
    Map<String, HostTensor> all = new HashMap<>();
    for (String name : names(model)) {
      if (name.endsWith(".safetensors")) {
        all.putAll(SafetensorsReader.read(model.resolve(name)));
      }
    }
    return all;
  }

  private static JsonNode config(Path model) throws IOException {
    return new ObjectMapper().readTree(model.resolve("config.json").toFile());
  }

  private Path copy(Path model) throws IOException {
    Path copy = Files.createDirectory(folder.resolve("base"));
    for (String name : names(model)) {
      Files.copy(model.resolve(name), copy.resolve(name));
    }
    return copy;
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
