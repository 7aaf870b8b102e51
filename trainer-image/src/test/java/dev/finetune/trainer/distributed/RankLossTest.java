package dev.finetune.trainer.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.distributed.RankLostException.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One rank is a process that is killed or stopped; the others are threads of this JVM. */
class RankLossTest {
  /** Long enough that a loaded machine alone is no loss. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  static RankLostException sumUntilLost(ProcessGroup group, Runnable afterEach)
      throws InterruptedException {
    try {
      while (true) {
        group.sum(new double[] {1});
        afterEach.run();
        Thread.sleep(5);
      }
    } catch (RankLostException e) {
      return e;
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "4, 1", "3, 0"})
  void aKilledProcessIsNamedByAllOthers(int size, int victim) throws Exception {
    for (RankLostException lost : loss(size, victim, RankProcess::kill)) {
      assertThat(lost.ranks()).containsExactly(victim);
      assertThat(lost.kind()).isEqualTo(Kind.CLOSED);
      assertThat(lost)
          .hasMessageStartingWith("Rank %d of %d is lost: ".formatted(victim, size))
          .hasMessageNotContaining("\n");
    }
  }

  @ParameterizedTest
  @CsvSource({"4, 3", "3, 0"})
  void aProcessThatHangsIsNamedByAllOthers(int size, int victim) throws Exception {
    for (RankLostException lost : loss(size, victim, RankProcess::hang)) {
      assertThat(lost.ranks()).containsExactly(victim);
      assertThat(lost.kind()).isEqualTo(Kind.TIMEOUT);
      assertThat(lost).hasMessageStartingWith("Rank %d of %d is lost: ".formatted(victim, size));
    }
  }

  @Test
  void aGroupThatHasLostARankSaysItAgain() throws IOException {
    int port = RankThreads.freePort();
    CompletableFuture<Boolean> leaver =
        RankThreads.start(RankThreads.at(port, 1, 2), group -> true);
    CompletableFuture<RankLostException> rank0 =
        RankThreads.start(
            RankThreads.at(port, 0, 2),
            group -> {
              RankLostException lost = sumUntilLost(group, () -> {});
              assertThatThrownBy(group::barrier)
                  .isInstanceOf(RankLostException.class)
                  .hasMessage(lost.getMessage());
              return lost;
            });
    assertThat(RankThreads.result(leaver)).isTrue();
    assertThat(RankThreads.result(rank0).ranks()).containsExactly(1);
  }

  @FunctionalInterface
  private interface Harm {
    void doTo(RankProcess process) throws Exception;
  }

  /** What the ranks other than the victim throw. */
  private static List<RankLostException> loss(int size, int victim, Harm harm) throws Exception {
    int port = RankThreads.freePort();
    try (RankProcess process = RankProcess.start(port, victim, size, TIMEOUT)) {
      List<CompletableFuture<RankLostException>> survivors = new ArrayList<>();
      for (int rank = 0; rank < size; rank++) {
        if (rank != victim) {
          survivors.add(
              RankThreads.start(
                  RankThreads.at(port, rank, size, RankThreads.PATIENCE, TIMEOUT),
                  group -> sumUntilLost(group, () -> {})));
        }
      }
      process.awaitSum();
      harm.doTo(process);
      return survivors.stream().map(RankThreads::result).toList();
    }
  }
}
