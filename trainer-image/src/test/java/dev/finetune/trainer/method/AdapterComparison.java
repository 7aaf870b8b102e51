package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Compares an adapter with PEFT's after twenty steps of AdamW, number by number.
 *
 * <p>The first step of a number goes rate * g / (|g| + eps) far, all but the whole rate whatever
 * its gradient g is, unless g is about as small as eps, 1e-8. Then rounding decides how far it
 * goes: the gradients' largest numbers are about 0.1, so another order of a float32 sum moves g by
 * about 1e-8, which at g = 10 eps is 1 % of the rate and at g = eps half of it. Numbers whose first
 * gradient is so small may therefore end as far away as one step goes. If it is a number of lora_B,
 * the gradients of a row of lora_A are sums of products with a hundred numbers of lora_B, that one
 * among them, and so that row may end a tenth as far away. Few are so small: of tiny-mistral's
 * 16384 numbers it is lora_B[32, 4] of layers.1.mlp.gate_proj, g = 8e-9.
 */
public final class AdapterComparison {
  /** A step moves a number by the rate, 1e-3 or 2e-3, whatever its gradient. */
  private static final double ABSOLUTE = 2e-5;

  private static final double UNDECIDED_GRADIENT = 1e-7;
  private static final int RANK = 8;
  private static final String A = ".lora_A.";
  private static final String B = ".lora_B.";

  /** The first gradient that isn't zero of each number, by the tensor's name in PEFT's file. */
  private final Map<String, float[]> first = new HashMap<>();

  private final double rate;

  /** With the rate of the first steps. */
  public AdapterComparison(double rate) {
    this.rate = rate;
  }

  /** Takes the gradients of a step; those of lora_A are zero as long as lora_B is. */
  public void see(Map<String, HostTensor> gradients) {
    gradients.forEach(
        (name, gradient) -> {
          FloatBuffer values = gradient.floats();
          float[] own =
              first.computeIfAbsent(
                  name.replace(".default.", "."), key -> new float[values.limit()]);
          for (int i = 0; i < own.length; i++) {
            own[i] = own[i] == 0 ? values.get(i) : own[i];
          }
        });
  }

  /** Asserts that both have the same names, shapes and numbers. */
  public void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
    actual.forEach((name, tensor) -> assertSame(name, tensor, expected.get(name)));
  }

  private void assertSame(String name, HostTensor actual, HostTensor expected) {
    assertThat(actual.dtype()).isEqualTo(expected.dtype());
    assertThat(actual.shape()).as("shape of %s", name).isEqualTo(expected.shape());
    FloatBuffer values = actual.floats();
    FloatBuffer others = expected.floats();
    for (int i = 0; i < values.limit(); i++) {
      double difference = Math.abs(values.get(i) - others.get(i));
      if (difference >= ABSOLUTE) {
        assertThat(difference)
            .as("difference of %s at %d, whose first gradient is %s", name, i, first.get(name)[i])
            .isLessThan(tolerance(name, i, (int) actual.shape()[1]));
      }
    }
  }

  private double tolerance(String name, int index, int columns) {
    if (undecided(name, index)) {
      return rate;
    }
    boolean row = name.contains(A) && anyOfColumn(name.replace(A, B), index / columns);
    return row ? rate / 10 : ABSOLUTE;
  }

  /** Whether a column of lora_B, (out, rank), has an undecided number. */
  private boolean anyOfColumn(String name, int column) {
    int length = first.get(name).length;
    return IntStream.range(0, length).anyMatch(i -> i % RANK == column && undecided(name, i));
  }

  private boolean undecided(String name, int index) {
    return Math.abs(first.get(name)[index]) < UNDECIDED_GRADIENT;
  }
}
