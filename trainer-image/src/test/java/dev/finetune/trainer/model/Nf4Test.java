package dev.finetune.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.trainer.engine.ScriptSource;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** nf4.py against {@link Nf4Reference}, bit for bit. */
class Nf4Test {
  private static final String PROBE =
      """
      class Probe(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool

        def codes(self: __torch__.Probe, x: Tensor, values: Tensor) -> Tensor:
          codes, absmax = __torch__.nf4_quantize(x, values)
          return codes.to(4)

        def absmax(self: __torch__.Probe, x: Tensor, values: Tensor) -> Tensor:
          codes, absmax = __torch__.nf4_quantize(x, values)
          return absmax

        def absmax_codes(self: __torch__.Probe, absmax: Tensor, table: Tensor) -> Tensor:
          codes, scales, offset = __torch__.absmax_quantize(absmax, table)
          return codes.to(4)

        def scales(self: __torch__.Probe, absmax: Tensor, table: Tensor) -> Tensor:
          codes, scales, offset = __torch__.absmax_quantize(absmax, table)
          return torch.cat([scales, offset])

        def there_and_back(self: __torch__.Probe, x: Tensor, values: Tensor, table: Tensor, piece: int, dtype: int) -> Tensor:
          codes, absmax = __torch__.nf4_quantize(x, values)
          absmax_codes, scales, offset = __torch__.absmax_quantize(absmax, table)
          restored = __torch__.absmax_dequantize(absmax_codes, scales, offset, table)
          numbers = torch.empty([torch.floordiv(piece, 2), 2], dtype=6)
          indices = torch.empty([torch.floordiv(piece, 2)], dtype=3)
          return __torch__.nf4_dequantize(codes, restored, torch.numel(x), __torch__.value_pairs(values), numbers, indices, dtype).to(6)

        def linspace(self: __torch__.Probe, parts: int) -> Tensor:
          return torch.linspace(0.10000000000000001, 1, parts + 1, dtype=6)
      """;

  private static final HostTensor VALUES = tensor(Nf4.values());
  private static final HostTensor TABLE = tensor(Nf4.absmaxTable());

  private static TorchScript script;

  @BeforeAll
  static void compile() {
    script = TorchScript.compile("Probe", ScriptSource.read(CausalLm.class, "nf4.py") + PROBE);
  }

  @AfterAll
  static void close() {
    script.close();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {1, 2, 63, 64, 65, 128, 129, 4096, 16383, 16384, 16385, 64 * 257 + 31, 100_000})
  void randomNumbersOfAnyCount(int length) {
    Random random = new Random(length);
    assertFormat(numbers(length, random::nextGaussian));
  }

  @Test
  void everyKindOfBlock() {
    Random random = new Random(7);
    DoubleSupplier uniform = () -> 2 * random.nextDouble() - 1;
    assertFormat(numbers(1000, () -> 0.03));
    assertFormat(numbers(1000, () -> -0.03));
    assertFormat(numbers(1000, () -> 0));
    assertFormat(numbers(1000, () -> -0.0));
    assertFormat(numbers(1000, () -> 3.4e38 * uniform.getAsDouble()));
    assertFormat(numbers(1000, () -> 1e-40 * uniform.getAsDouble()));
    assertFormat(numbers(1000, () -> Float.MIN_VALUE));
    assertFormat(numbers(1000, () -> 2e-38 * uniform.getAsDouble()));
    // One block of each beside the others, so that the absmax differ by far.
    float[] mixed = new float[64 * 600];
    for (int i = 0; i < mixed.length; i++) {
      double size = new double[] {0, 1e-40, 1e-20, 1, 1e20}[i / 64 % 5];
      mixed[i] = (float) (size * uniform.getAsDouble());
    }
    assertFormat(mixed);
  }

  @Test
  void whatLiesBetweenTwoValuesTakesTheNearestAndAtTheMiddleTheLower() {
    float[] values = Nf4.values();
    for (int i = 0; i + 1 < values.length; i++) {
      float middle = (values[i] + values[i + 1]) / 2;
      // 1 makes the block's largest.
      float[] x = {1, middle, Math.nextUp(middle), Math.nextDown(middle)};
      long[] codes = longs("codes", tensor(x), VALUES);
      assertThat(codes).containsExactly(15 * 16 + i, 16 * (i + 1) + i);
    }
  }

  @Test
  void zerosStayZerosBesideLargeBlocks() {
    float[] x = new float[64 * 3];
    Arrays.fill(x, 64, 128, 100);

    long[] codes = longs("codes", tensor(x), VALUES);

    // Index 7 is the exact zero.
    assertThat(Arrays.copyOf(codes, 32)).containsOnly(7 * 16 + 7);
    for (float number : Arrays.copyOf(backAndForth(x, 1 << 22, 6), 64)) {
      assertThat(Math.abs(number)).isZero();
    }
  }

  @Test
  void theTableOfTheAbsmaxIsPyTorchs() {
    float[] table = Nf4.absmaxTable();
    int next = 0;
    float[] expected = new float[256];
    for (int exponent = -6; exponent <= 0; exponent++) {
      int parts = 1 << (exponent + 6);
      float[] boundaries = floats("linspace", parts);
      for (int part = 0; part < parts; part++) {
        float middle = (boundaries[part] + boundaries[part + 1]) / 2;
        expected[next++] = (float) Math.pow(10, exponent) * middle;
        expected[next++] = -(float) Math.pow(10, exponent) * middle;
      }
    }
    expected[next++] = 0;
    expected[next++] = 1;
    Arrays.sort(expected);

    assertThat(next).isEqualTo(256);
    assertThat(table).isEqualTo(expected);
    assertThat(table[0]).isCloseTo(-(0.1f + 0.9f * 63.5f / 64), within(1e-7f));
    assertThat(table[127]).isZero();
    assertThat(table[255]).isEqualTo(1);
  }

  /** What bitsandbytes' test_4bit_quant measured in 200 samples, within its seven deviations. */
  @Test
  void theErrorIsTheOneThatBitsandbytesMeasured() {
    Random random = new Random(3);
    float[] x = numbers(1 << 20, random::nextGaussian);
    float[] back = backAndForth(x, 1 << 22, 6);
    double absolute = 0;
    double relative = 0;
    for (int i = 0; i < x.length; i++) {
      double error = Math.abs(x[i] - back[i]);
      absolute += error;
      relative += error / (Math.abs(x[i]) + 1e-8);
    }
    assertThat(absolute / x.length).isCloseTo(0.072798, within(7 * 0.000074));
    assertThat(relative / x.length).isCloseTo(0.203339, within(7 * 0.000340));
  }

  @Test
  void aWeightTakesAboutFourBitsAndAnEighthForEachNumber() {
    assertThat(Nf4.bytes(64)).isEqualTo(32 + 1 + 4 + 4);
    assertThat(Nf4.bytes(65)).isEqualTo(33 + 2 + 4 + 4);
    assertThat(8.0 * Nf4.bytes(4096L * 14336) / (4096L * 14336)).isCloseTo(4.127, within(0.001));
  }

  /** Codes, absmax and what comes back, for a whole tensor and in pieces. */
  private static void assertFormat(float[] x) {
    Nf4Reference reference = Nf4Reference.of(x);
    assertThat(longs("codes", tensor(x), VALUES)).isEqualTo(widened(reference.codes()));
    float[] absmax = floats("absmax", tensor(x), VALUES);
    assertBits(absmax, reference.absmax());
    assertThat(longs("absmax_codes", tensor(absmax), TABLE))
        .isEqualTo(widened(reference.absmaxCodes()));
    float[] scales = Arrays.copyOf(reference.scales(), reference.scales().length + 1);
    scales[scales.length - 1] = reference.offset();
    assertBits(floats("scales", tensor(absmax), TABLE), scales);
    float[] back = reference.dequantized(x.length);
    assertBits(backAndForth(x, 1 << 22, 6), back);
    assertBits(backAndForth(x, 64, 6), back);
    assertBits(backAndForth(x, 192, 6), back);
    float[] rounded = new float[back.length];
    for (int i = 0; i < back.length; i++) {
      rounded[i] = bfloat16(back[i]);
    }
    assertBits(backAndForth(x, 320, 15), rounded);
  }

  /** Rounded to the nearest bfloat16, ties to even. */
  private static float bfloat16(float number) {
    int bits = Float.floatToRawIntBits(number);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
  }

  private static float[] backAndForth(float[] x, int piece, int type) {
    return floats("there_and_back", tensor(x), VALUES, TABLE, piece, type);
  }

  /** Compares bits, so that -0 isn't 0. */
  private static void assertBits(float[] actual, float[] expected) {
    assertThat(bits(actual)).isEqualTo(bits(expected));
  }

  private static int[] bits(float[] numbers) {
    return IntStream.range(0, numbers.length)
        .map(i -> Float.floatToRawIntBits(numbers[i]))
        .toArray();
  }

  private static long[] widened(int[] numbers) {
    return Arrays.stream(numbers).asLongStream().toArray();
  }

  private static float[] numbers(int length, DoubleSupplier next) {
    float[] numbers = new float[length];
    for (int i = 0; i < length; i++) {
      numbers[i] = (float) next.getAsDouble();
    }
    return numbers;
  }

  private static HostTensor tensor(float[] numbers) {
    return HostTensor.ofFloats(numbers, numbers.length);
  }

  private static float[] floats(String method, Object... arguments) {
    FloatBuffer found = script.callTensor(method, arguments).floats();
    float[] numbers = new float[found.limit()];
    found.get(numbers);
    return numbers;
  }

  private static long[] longs(String method, Object... arguments) {
    LongBuffer found = script.callTensor(method, arguments).longs();
    long[] numbers = new long[found.limit()];
    found.get(numbers);
    return numbers;
  }
}
