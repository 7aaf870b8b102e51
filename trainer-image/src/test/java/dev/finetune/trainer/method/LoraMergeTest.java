package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.WeightLocation;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsHeader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoraMergeTest {
  /** W (3, 2). */
  private static final float[] W = {1, 2, 3, 4, 5, 6};

  private static final String LAYER = "base_model.model.model.layers.0.mlp.up_proj";

  @TempDir Path folder;

  @Test
  void aWeightBecomesWPlusScaleTimesBA() throws IOException {
    // B A is (1, 2) times each of 1, 0 and -1.
    Map<String, HostTensor> adapter =
        Map.of(
            LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {1, 2}, 1, 2),
            LAYER + ".lora_B.weight", HostTensor.ofFloats(new float[] {1, 0, -1}, 3, 1));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 0.5 * rank)) {
      String name = "model.layers.0.mlp.up_proj.weight";
      assertThat(merge.names()).containsExactly(name);
      assertThat(floats(merge.rows(name, weight(W), 0, 3))).containsExactly(1.5f, 3, 3, 4, 4.5f, 5);
      // By rows it is the same.
      assertThat(floats(merge.rows(name, weight(W), 2, 1))).containsExactly(4.5f, 5);
    }
  }

  @Test
  void withDoraEachRowHasItsMagnitude() throws IOException {
    Map<String, HostTensor> adapter =
        Map.of(
            LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {2, 2}, 1, 2),
            LAYER + ".lora_B.weight", HostTensor.ofFloats(new float[] {1, 0, 0}, 3, 1),
            LAYER + ".lora_magnitude_vector", HostTensor.ofFloats(new float[] {10, 5, 1}, 3));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 1)) {
      float[] merged = floats(merge.rows(merge.names().iterator().next(), weight(W), 0, 3));
      // (3, 4) has the length 5, and so has (3, 4) without a change.
      assertThat(merged[0]).isEqualTo(6, within(1e-6f));
      assertThat(merged[1]).isEqualTo(8, within(1e-6f));
      assertThat(merged[2]).isEqualTo(3, within(1e-6f));
      assertThat(merged[3]).isEqualTo(4, within(1e-6f));
      assertThat(Math.hypot(merged[4], merged[5])).isEqualTo(1, within(1e-6));
    }
  }

  @Test
  void anEmbeddingBecomesWPlusScaleTimesTheTransposeOfBA() throws IOException {
    // A (1, 3) for three tokens and B (2, 1) for two numbers of each.
    Map<String, HostTensor> adapter =
        Map.of(
            "base_model.model.model.embed_tokens.lora_embedding_A",
            HostTensor.ofFloats(new float[] {1, 0, 2}, 1, 3),
            "base_model.model.model.embed_tokens.lora_embedding_B",
            HostTensor.ofFloats(new float[] {1, 10}, 2, 1));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 2)) {
      String name = "model.embed_tokens.weight";
      assertThat(merge.names()).containsExactly(name);
      assertThat(floats(merge.rows(name, weight(W), 0, 3))).containsExactly(3, 22, 3, 4, 9, 46);
      assertThat(floats(merge.rows(name, weight(W), 2, 1))).containsExactly(9, 46);
    }
  }

  @Test
  void theSumIsRoundedOnceToTheBasesType() throws IOException {
    Map<String, HostTensor> adapter =
        Map.of(
            LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {1, 1}, 1, 2),
            LAYER + ".lora_B.weight", HostTensor.ofFloats(new float[] {0.0078125f}, 1, 1));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 1)) {
      // 1 + 2^-7 is the next number of BF16 after 1; 2 + 2^-7 lies half way, and 2 is even.
      ByteBuffer bits = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      bits.putShort((short) 0x3F80).putShort((short) 0x4000).flip();
      WeightLocation base = weight(new HostTensor("BF16", new long[] {1, 2}, bits));
      ByteBuffer merged =
          merge.rows(merge.names().iterator().next(), base, 0, 1).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(merged.remaining()).isEqualTo(4);
      assertThat(merged.getShort()).isEqualTo((short) 0x3F81);
      assertThat(merged.getShort()).isEqualTo((short) 0x4000);
    }
  }

  @Test
  void aNumberThatIsTooLargeForTheBasesTypeIsRefused() throws IOException {
    Map<String, HostTensor> adapter =
        Map.of(
            LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {70_000, 0}, 1, 2),
            LAYER + ".lora_B.weight", HostTensor.ofFloats(new float[] {1}, 1, 1));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 1)) {
      WeightLocation half =
          weight(new HostTensor("F16", new long[] {1, 2}, ByteBuffer.allocate(4)));
      assertThatThrownBy(() -> merge.rows(merge.names().iterator().next(), half, 0, 1))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("up_proj.weight", "too large for F16");
    }
  }

  @Test
  void aTensorWithoutItsPartnerIsRefused() {
    Map<String, HostTensor> adapter =
        Map.of(LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {1, 2}, 1, 2));

    assertThatThrownBy(() -> new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 1))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("can't be merged", "up_proj.lora_A");
  }

  @Test
  void anAdapterOfAnotherModelIsRefused() throws IOException {
    Map<String, HostTensor> adapter =
        Map.of(
            LAYER + ".lora_A.weight", HostTensor.ofFloats(new float[] {1, 2, 3}, 1, 3),
            LAYER + ".lora_B.weight", HostTensor.ofFloats(new float[] {1, 0, -1}, 3, 1));

    try (LoraMerge merge = new LoraMerge(folder, Map.of(), adapter, (layer, rank) -> 1)) {
      WeightLocation base = weight(W);
      assertThatThrownBy(() -> merge.rows(merge.names().iterator().next(), base, 0, 3))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("doesn't fit", "[1, 3]", "[3, 2]");
    }
  }

  private WeightLocation weight(float[] values) throws IOException {
    return weight(HostTensor.ofFloats(values, 3, 2));
  }

  private WeightLocation weight(HostTensor tensor) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(channel, Map.of("w", tensor));
    }
    return new WeightLocation(file, SafetensorsHeader.read(file).get("w"));
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}
