package dev.finetune.trainer.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class C10dGroupTest {

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void allRanksGetTheSumAndTheGreatestOfTheirVectors(int size) throws IOException {
    List<double[]> sums =
        RankThreads.run(
            size,
            group -> {
              assertThat(group.size()).isEqualTo(size);
              double[] values = {group.rank() + 1, 0.25, -group.rank()};
              group.sum(values);
              return values;
            });
    double triangle = size * (size + 1) / 2.0;
    assertThat(sums)
        .hasSize(size)
        .allSatisfy(sum -> assertThat(sum).containsExactly(triangle, size * 0.25, size - triangle));

    List<double[]> greatest =
        RankThreads.run(
            size,
            group -> {
              double[] values = {group.rank(), -group.rank()};
              group.max(values);
              return values;
            });
    assertThat(greatest).allSatisfy(max -> assertThat(max).containsExactly(size - 1, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void aTensorIsSummedInPlace(int size) throws IOException {
    List<float[]> sums =
        RankThreads.run(
            size,
            group -> {
              try (TensorScript script = new TensorScript();
                  ScriptValue tensor = script.keep(group.rank(), 1, 0.5f)) {
                group.sum(tensor);
                return script.read(tensor);
              }
            });
    assertThat(sums)
        .allSatisfy(
            sum -> assertThat(sum).containsExactly(size * (size - 1) / 2f, size, size / 2f));
  }

  @Test
  void tensorsOfBfloat16AreSummedAsTheyAre() throws IOException {
    List<float[]> sums =
        RankThreads.run(
            2,
            group -> {
              try (TensorScript script = new TensorScript();
                  ScriptValue tensor =
                      script.call(
                          "bfloat16",
                          HostTensor.ofFloats(new float[] {1 + group.rank(), 256}, 2))) {
                group.sum(tensor);
                return script.read(tensor);
              }
            });
    assertThat(sums).allSatisfy(sum -> assertThat(sum).containsExactly(3, 512));
  }

  @Test
  void everyRankGetsTheRootsElements() throws IOException {
    List<float[]> received =
        RankThreads.run(
            3,
            group -> {
              try (TensorScript script = new TensorScript();
                  ScriptValue tensor = script.keep(10 * group.rank(), group.rank())) {
                group.broadcast(tensor, 2);
                return script.read(tensor);
              }
            });
    assertThat(received).allSatisfy(values -> assertThat(values).containsExactly(20, 2));
  }

  @Test
  void eachRankGetsTheSumOfItsPartAndThePartsMakeTheWhole() throws IOException {
    List<float[][]> results =
        RankThreads.run(
            2,
            group -> {
              float rank = group.rank();
              try (TensorScript script = new TensorScript();
                  ScriptValue whole = script.keep(1 + rank, 2, 3, 4 - rank);
                  ScriptValue part = script.keep(0, 0);
                  ScriptValue together = script.keep(0, 0, 0, 0)) {
                group.reduceScatter(whole, part);
                group.allGather(part, together);
                return new float[][] {script.read(part), script.read(together)};
              }
            });
    assertThat(results.get(0)[0]).containsExactly(3, 4);
    assertThat(results.get(1)[0]).containsExactly(6, 7);
    assertThat(results).allSatisfy(result -> assertThat(result[1]).containsExactly(3, 4, 6, 7));
  }

  @Test
  void theScriptThatMadeAGradientSeesTheSum() throws IOException {
    List<float[]> weights =
        RankThreads.run(
            2,
            group -> {
              try (TensorScript script = new TensorScript();
                  ScriptValue model =
                      script.call(
                          "model",
                          HostTensor.ofFloats(new float[] {0.25f * (1 + group.rank()), 0.5f}, 2));
                  ScriptValue gradient = script.call("gradient", model)) {
                group.sum(gradient);
                return script.floats("step", model, group.size());
              }
            });
    // d/dw (w w x) = 2x at w = 1: (0.5 + 1) / 2 and (1 + 1) / 2.
    assertThat(weights).allSatisfy(weight -> assertThat(weight).containsExactly(0.25f, 0));
  }

  @Test
  void aTensorThatDoesNotFitIsRefusedAndTheGroupGoesOn() throws IOException {
    List<double[]> sums =
        RankThreads.run(
            2,
            group -> {
              try (TensorScript script = new TensorScript();
                  ScriptValue whole = script.keep(1, 2, 3);
                  ScriptValue part = script.keep(0, 0);
                  ScriptValue columns =
                      script.call("columns", HostTensor.ofFloats(new float[4], 2, 2));
                  ScriptValue number = script.call("number")) {
                assertThatThrownBy(() -> group.reduceScatter(whole, part))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("3")
                    .hasMessageContaining("2 times");
                assertThatThrownBy(() -> group.sum(columns))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("contiguous");
                assertThatThrownBy(() -> group.sum(number))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not a tensor");
                assertThatThrownBy(() -> group.broadcast(part, 7))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("no rank 7 of 2");
              }
              double[] values = {1};
              group.sum(values);
              return values;
            });
    assertThat(sums).allSatisfy(sum -> assertThat(sum).containsExactly(2));
  }

  @Test
  void nobodyPassesABarrierBeforeTheLastOneIsThere() throws IOException {
    List<Boolean> seen =
        RankThreads.run(
            3,
            group -> {
              if (group.rank() == 2) {
                Thread.sleep(200);
                group.put("arrived", new byte[0]);
              }
              group.barrier();
              return group.get("arrived").isPresent();
            });
    assertThat(seen).containsOnly(true);
  }

  @Test
  void aKeyIsSeenByAllRanks() throws IOException {
    List<String> values =
        RankThreads.run(
            2,
            group -> {
              assertThat(group.get("path")).isEmpty();
              group.barrier();
              if (group.rank() == 0) {
                group.put("path", "run/élan".getBytes(UTF_8));
              }
              String value = new String(group.await("path", RankThreads.PATIENCE), UTF_8);
              group.barrier();
              return value;
            });
    assertThat(values).containsExactly("run/élan", "run/élan");
  }

  @Test
  void aKeyThatNobodySetsIsNamed() throws IOException {
    RankThreads.run(
        1,
        group -> {
          assertThatThrownBy(() -> group.await("path", Duration.ofMillis(100)))
              .isInstanceOf(RankLostException.class)
              .hasMessage("No rank has set path within 100 ms.");
          return true;
        });
  }
}
