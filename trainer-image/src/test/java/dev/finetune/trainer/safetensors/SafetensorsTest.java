package dev.finetune.trainer.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  private static final String EIGHT_BYTES = "12345678";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("x.safetensors");
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Map<String, HostTensor> tensors = new LinkedHashMap<>();
    tensors.put("matrix", HostTensor.ofFloats(new float[] {1, -2, 3, 4, 5, 6.5f}, 2, 3));
    tensors.put("step", HostTensor.ofLongs(new long[] {1L << 40}));
    tensors.put("none", HostTensor.ofFloats(new float[0], 0, 3));
    tensors.put("half", new HostTensor("BF16", new long[] {3}, ByteBuffer.wrap(new byte[6])));
    write(tensors);
    Map<String, HostTensor> read = SafetensorsReader.read(file);
    assertThat(read.keySet()).containsExactly("matrix", "step", "none", "half");
    assertThat(read.get("matrix").shape()).containsExactly(2, 3);
    assertThat(read.get("matrix").floats().get(5)).isEqualTo(6.5f);
    assertThat(read.get("step").shape()).isEmpty();
    assertThat(read.get("step").longs().get(0)).isEqualTo(1L << 40);
    assertThat(read.get("none").elements()).isZero();
    assertThat(read.get("half").dtype()).isEqualTo("BF16");
  }

  @Test
  void theHeaderSaysPtAndEndsOnAMultipleOfEight() throws IOException {
    write(Map.of("t", HostTensor.ofFloats(new float[] {1}, 1)));
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) bytes.getLong();
    String header = new String(bytes.array(), 8, length, StandardCharsets.UTF_8);
    assertThat(header)
        .startsWith(
            "{\"__metadata__\":{\"format\":\"pt\"},\"t\":{\"dtype\":\"F32\",\"shape\":[1],");
    assertThat((8 + length) % 8).isZero();
    assertThat(bytes.array()).hasSize(8 + length + 4);
  }

  @Test
  void aTensorBehindAnUnpaddedHeaderIsReadToo() throws IOException {
    String header = "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} ";
    ByteBuffer value = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 2.5f);
    Files.write(
        file,
        bytes(header.length(), header, new String(value.array(), StandardCharsets.ISO_8859_1)));
    assertThat(header.length() % 4).isNotZero();
    assertThat(SafetensorsReader.read(file).get("t").floats().get(0)).isEqualTo(2.5f);
  }

  /** Quotes in the headers are written as apostrophes. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "a type unknown | {'t':{'dtype':'F3','shape':[2],'data_offsets':[0,8]}}"
            + " | tensor t has the unknown dtype 'F3'",
        "a shape unlike its range | {'t':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}"
            + " | tensor t has the shape [3] of F32, 12 bytes, but a range of 8 bytes",
        "a range beyond the end | {'t':{'dtype':'F32','shape':[4],'data_offsets':[0,16]}}"
            + " | tensor t ends at byte",
        "a range backwards | {'t':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}"
            + " | tensor t has data_offsets that aren't a range",
        "a range of one | {'t':{'dtype':'F32','shape':[2],'data_offsets':[8]}}"
            + " | tensor t has data_offsets that aren't a range",
        "a negative size | {'t':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}"
            + " | tensor t has shape that isn't a list of whole numbers",
        "no shape | {'t':{'dtype':'F32','data_offsets':[0,8]}}"
            + " | tensor t has shape that isn't a list of whole numbers",
        "a size beyond long | {'t':{'dtype':'F32','shape':[4611686018427387904,4],"
            + "'data_offsets':[0,8]}} | tensor t has a shape too large",
        "an overlap | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},"
            + "'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}"
            + " | tensor b overlaps the tensor before it",
        "a gap | {'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}"
            + " | tensor a leaves a gap of 4 bytes",
        "bytes behind | {'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}"
            + " | has 4 bytes behind its last tensor",
        "a name twice | {'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},"
            + "'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | Duplicate field 'a'",
        "a list | [1,2] | has a header that isn't a JSON object",
        "no JSON | {'t':, | has a header that isn't JSON",
      })
  void aHeaderWith(String what, String header, String message) throws IOException {
    String json = header.replace('\'', '"');
    Files.write(file, bytes(json.length(), json, EIGHT_BYTES));
    assertBroken(message);
  }

  @Test
  void aFileCutShortAnywhereIsBroken() throws IOException {
    write(Map.of("t", HostTensor.ofFloats(new float[] {1, 2, 3}, 3)));
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertBroken("x.safetensors");
    }
  }

  @Test
  void aHeaderLongerThanTheFormatAllowsIsBroken() throws IOException {
    Files.write(file, bytes(-1, "{}", ""));
    assertBroken("claims a header of 18446744073709551615 bytes");
    Files.write(file, bytes(SafetensorsHeader.MAX_LENGTH + 1, "{}", ""));
    assertBroken("claims a header of 100000001 bytes");
    Files.write(file, bytes(1000, "{}", ""));
    assertBroken("is cut short: its header has 1000 bytes, the file 10");
  }

  @Test
  void aMissingFileIsNamed() {
    assertBroken("x.safetensors doesn't exist");
  }

  private void assertBroken(String message) {
    assertThatThrownBy(() -> SafetensorsReader.read(file))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message)
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.MODEL);
  }

  private void write(Map<String, HostTensor> tensors) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(channel, tensors);
    }
  }

  private static byte[] bytes(long headerLength, String header, String data) {
    byte[] json = header.getBytes(StandardCharsets.ISO_8859_1);
    byte[] rest = data.getBytes(StandardCharsets.ISO_8859_1);
    return ByteBuffer.allocate(8 + json.length + rest.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(headerLength)
        .put(json)
        .put(rest)
        .array();
  }
}
