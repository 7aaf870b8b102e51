package dev.finetune.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelFolderTest {
  private static final String NORM = "model.norm.weight";

  @TempDir Path folder;
  private final GoldenModel golden = new GoldenModel("tiny-llama");

  @BeforeEach
  void copyModel() throws IOException {
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(golden.file("base/" + name), folder.resolve(name));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.finetune.trainer.method.GoldenModel#names")
  void logitsAreTransformers(String name) {
    GoldenModel other = new GoldenModel(name);
    assertThat(largestDifference(other, other.base())).isLessThan(1e-4);
  }

  @Test
  void theFormOfTransformers5IsReadAsTheFormOf4() throws IOException {
    GoldenModel llama3 = new GoldenModel("tiny-llama3");
    Files.copy(
        llama3.file("base/model.safetensors"),
        folder.resolve("model.safetensors"),
        StandardCopyOption.REPLACE_EXISTING);
    Files.copy(
        llama3.file("base/config.json"),
        folder.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    config(
        json -> {
          ObjectNode rope = ((ObjectNode) json.remove("rope_scaling"));
          rope.set("rope_theta", json.remove("rope_theta"));
          json.set("rope_parameters", rope);
          json.set("dtype", json.remove("torch_dtype"));
        });
    assertThat(largestDifference(llama3, folder)).isLessThan(1e-4);
  }

  @Test
  void shardsAreReadAsOneFile() throws IOException {
    Map<String, HostTensor> all = SafetensorsReader.read(golden.file("base/model.safetensors"));
    Files.delete(folder.resolve("model.safetensors"));
    ObjectNode index = new ObjectMapper().createObjectNode();
    ObjectNode map = index.putObject("weight_map");
    for (int shard = 0; shard < 2; shard++) {
      Map<String, HostTensor> part = new LinkedHashMap<>();
      for (Map.Entry<String, HostTensor> entry : all.entrySet()) {
        if (entry.getKey().contains("layers.1.") == (shard == 1)) {
          part.put(entry.getKey(), entry.getValue());
          map.put(entry.getKey(), "part-" + shard + ".safetensors");
        }
      }
      write("part-" + shard + ".safetensors", part);
    }
    Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    assertThat(largestDifference(golden, folder)).isLessThan(1e-4);

    map.put(NORM, "part-1.safetensors");
    Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    assertRefused("part-1.safetensors has the weight model.norm.weight, which it hasn't");

    map.put(NORM, "../part-0.safetensors");
    Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    assertRefused("'../part-0.safetensors', not a safetensors file beside it");
  }

  @Test
  void halfPrecisionFilesAreReadAndConverted() throws IOException {
    rewrite("BF16", value -> Float.floatToIntBits(value) >>> 16);
    assertThat(largestDifference(golden, folder)).isBetween(1e-4, 0.5);
    rewrite("F16", value -> halfBits(value));
    assertThat(largestDifference(golden, folder)).isBetween(1e-5, 0.05);
  }

  @Test
  void weightsThatAreNotAlignedInTheFileAreCopied() throws IOException {
    byte[] whole = Files.readAllBytes(folder.resolve("model.safetensors"));
    ByteBuffer in = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    long header = in.getLong();
    // One more space in the header moves every weight by one byte.
    ByteBuffer out = ByteBuffer.allocate(whole.length + 1).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(header + 1).put(whole, 8, (int) header).put((byte) ' ');
    out.put(whole, 8 + (int) header, whole.length - 8 - (int) header);
    Files.write(folder.resolve("model.safetensors"), out.array());
    assertThat(largestDifference(golden, folder)).isLessThan(1e-4);
  }

  @Test
  void aMissingFolderIsNamed() {
    assertThatThrownBy(() -> ModelFolder.open(folder.resolve("gone")))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("gone doesn't exist or isn't a folder");
  }

  @Test
  void aMissingConfigIsNamed() throws IOException {
    Files.delete(folder.resolve("config.json"));
    assertRefused("config.json doesn't exist");
  }

  @Test
  void anUnsupportedArchitectureIsRefusedWithTheSupportedOnes() throws IOException {
    config(json -> json.putArray("architectures").add("MambaForCausalLM"));
    assertRefused(
        "'MambaForCausalLM', which isn't supported; supported are LlamaForCausalLM, Qwen2");
  }

  @Test
  void settingsThatWouldGiveWrongResultsAreRefused() throws IOException {
    config(json -> json.put("hidden_act", "gelu"));
    assertRefused("hidden_act must be silu, but is gelu");
    config(json -> json.put("hidden_act", "silu").putObject("rope_scaling").put("type", "yarn"));
    assertRefused("rope_scaling is of type 'yarn'");
    config(json -> json.putNull("rope_scaling").putObject("quantization_config"));
    assertRefused("quantized weights aren't supported");
    config(json -> json.remove("quantization_config"));
    config(json -> json.put("num_hidden_layers", "two"));
    assertRefused("num_hidden_layers must be a whole number above 0, but is \"two\"");
  }

  @Test
  void layersThatWouldSeeAnotherPastAreRefused() throws IOException {
    config(json -> json.putArray("architectures").add("MistralForCausalLM"));
    config(json -> json.put("sliding_window", 16).putArray("layer_types").add("full_attention"));
    assertRefused(
        "layer_types has \"full_attention\" where all layers must be \"sliding_attention\", as"
            + " sliding_window is 16");
    config(json -> json.put("sliding_window", "all").remove("layer_types"));
    assertRefused("sliding_window must be a whole number above 0, but is \"all\"");
    config(json -> json.putNull("sliding_window").putArray("layer_types").add("full_attention"));
    assertThat(ModelFolder.open(folder).linearLayers()).hasSize(14);

    config(json -> json.putArray("architectures").add("Qwen3ForCausalLM"));
    config(json -> json.put("head_dim", 16).putArray("layer_types").add("sliding_attention"));
    assertRefused("layer_types has 1 entries, but there are 2 layers");
    config(json -> ((ArrayNode) json.path("layer_types")).add("linear_attention"));
    assertRefused("layer_types has \"linear_attention\", which isn't supported");
    config(json -> ((ArrayNode) json.path("layer_types")).set(1, "full_attention"));
    assertRefused(
        "layer_types has \"sliding_attention\", but sliding_window is null and use_sliding_window is"
            + " absent");
    config(json -> json.remove("head_dim"));
    assertRefused("head_dim must be a whole number above 0, but is absent");
  }

  /** Longer than the blocks of PyTorch's attention, in some of which everything is hidden. */
  @Test
  void aWindowHidesNoMoreThanItShouldInALongRow() throws IOException {
    GoldenModel mistral = new GoldenModel("tiny-mistral");
    long[] long2048 = LongStream.range(0, 2048).map(i -> 10 + i * i % 700).toArray();
    long[] last64 = Arrays.copyOfRange(long2048, 2048 - 64, 2048);
    try (CausalLm model = load(mistral.base());
        ScriptValue plain = model.untuned()) {
      FloatBuffer all = model.logits(plain, HostTensor.ofLongs(long2048, 1, 2048)).floats();
      FloatBuffer end = model.logits(plain, HostTensor.ofLongs(last64, 1, 64)).floats();
      // Two layers with a window of 16 look back 30 tokens, and positions are relative.
      for (int i = 1; i <= 768; i++) {
        assertThat(all.get(2048 * 768 - i)).isCloseTo(end.get(64 * 768 - i), within(5e-3f));
      }
    }
  }

  @Test
  void withoutAWindowMistralSeesAllOfThePast() throws IOException {
    try (CausalLm llama = load(folder);
        ScriptValue plain = llama.untuned()) {
      HostTensor ids = golden.tensors("forward.safetensors").get("input_ids");
      FloatBuffer expected = llama.logits(plain, ids).floats();
      config(json -> json.putArray("architectures").add("MistralForCausalLM"));
      config(json -> json.putNull("sliding_window"));
      try (CausalLm mistral = load(folder);
          ScriptValue same = mistral.untuned()) {
        assertThat(mistral.logits(same, ids).floats()).isEqualTo(expected);
      }
    }
  }

  @Test
  void aPickleIsNeverRead() throws IOException {
    Files.move(folder.resolve("model.safetensors"), folder.resolve("pytorch_model.bin"));
    assertRefused("only as pytorch_model.bin, a pickle");
  }

  @Test
  void missingExtraAndMisshapenWeightsAreAllListed() throws IOException {
    Map<String, HostTensor> weights =
        new LinkedHashMap<>(SafetensorsReader.read(golden.file("base/model.safetensors")));
    weights.remove("model.layers.1.mlp.up_proj.weight");
    weights.put("model.layers.1.mlp.extra", HostTensor.ofFloats(new float[] {1}, 1));
    weights.put(NORM, HostTensor.ofFloats(new float[] {1}, 1));
    write("model.safetensors", weights);
    assertThatThrownBy(() -> ModelFolder.open(folder))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("missing: model.layers.1.mlp.up_proj.weight")
        .hasMessageContaining("not part of the model: model.layers.1.mlp.extra")
        .hasMessageContaining("model.norm.weight has the shape [1], config.json asks for [64]");
  }

  @Test
  void anUnknownDeviceIsRefused() {
    assertThatThrownBy(() -> CausalLm.load(ModelFolder.open(folder), "cuda:99", Precision.AUTO))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("there is no device 'cuda:99'")
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.USAGE);
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> ModelFolder.open(folder))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(message)
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.MODEL);
  }

  private void config(Consumer<ObjectNode> change) throws IOException {
    Path file = folder.resolve("config.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(Files.readString(file));
    change.accept(json);
    Files.writeString(file, json.toString());
  }

  private void rewrite(String dtype, Function<Float, Integer> bitsOf) throws IOException {
    Map<String, HostTensor> rewritten = new LinkedHashMap<>();
    SafetensorsReader.read(golden.file("base/model.safetensors"))
        .forEach(
            (name, tensor) -> {
              FloatBuffer values = tensor.floats();
              ByteBuffer bytes =
                  ByteBuffer.allocate(2 * values.limit()).order(ByteOrder.LITTLE_ENDIAN);
              for (int i = 0; i < values.limit(); i++) {
                bytes.putShort(bitsOf.apply(values.get(i)).shortValue());
              }
              rewritten.put(name, new HostTensor(dtype, tensor.shape(), bytes.flip()));
            });
    write("model.safetensors", rewritten);
  }

  /** Bits of the half-precision number below a float of small magnitude. */
  private static int halfBits(float value) {
    int bits = Float.floatToIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int exponent = ((bits >>> 23) & 0xff) - 127 + 15;
    int mantissa = (bits >>> 13) & 0x3ff;
    return exponent <= 0 ? sign : sign | (exponent << 10) | mantissa;
  }

  private void write(String name, Map<String, HostTensor> tensors) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve(name),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      SafetensorsWriter.write(channel, tensors);
    }
  }

  private static CausalLm load(Path path) {
    return CausalLm.load(ModelFolder.open(path), "cpu", Precision.AUTO);
  }

  /** Over the recorded positions that are no padding. */
  private static double largestDifference(GoldenModel golden, Path path) {
    Map<String, HostTensor> forward = golden.tensors("forward.safetensors");
    HostTensor expected = forward.get("logits"); // (B, K, V)
    HostTensor mask = forward.get("attention_mask"); // (B, T)
    int rows = (int) expected.shape()[0];
    int last = (int) expected.shape()[1];
    int vocabulary = (int) expected.shape()[2];
    int tokens = (int) mask.shape()[1];
    double largest = 0;
    try (CausalLm model = load(path);
        ScriptValue plain = model.untuned()) {
      FloatBuffer actual = model.logits(plain, forward.get("input_ids")).floats();
      for (int row = 0; row < rows; row++) {
        for (int k = 0; k < last; k++) {
          int t = row * tokens + tokens - last + k;
          for (int v = 0; mask.longs().get(t) == 1 && v < vocabulary; v++) {
            float difference =
                actual.get(t * vocabulary + v)
                    - expected.floats().get((row * last + k) * vocabulary + v);
            largest = Math.max(largest, Math.abs(difference));
          }
        }
      }
    }
    return largest;
  }
}
