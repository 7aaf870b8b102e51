package dev.finetune.trainer.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class RendezvousTest {
  private static final Duration SHORT = Duration.ofSeconds(2);

  @Test
  void aRankWaitsForAMasterThatStartsLater() throws Exception {
    int port = RankThreads.freePort();
    List<String> log = new CopyOnWriteArrayList<>();
    CountDownLatch waited = new CountDownLatch(1);
    CompletableFuture<double[]> sum = new CompletableFuture<>();
    Thread rank1 =
        new Thread(
            () -> {
              try (ProcessGroup group =
                  C10dGroup.join(
                      RankThreads.at(port, 1, 2),
                      line -> {
                        log.add(line);
                        waited.countDown();
                      })) {
                double[] values = {2};
                group.sum(values);
                sum.complete(values);
              } catch (Throwable e) {
                sum.completeExceptionally(e);
              }
            });
    rank1.start();
    waited.await();
    Thread.sleep(1000);
    CompletableFuture<Boolean> rank0 =
        RankThreads.start(
            RankThreads.at(port, 0, 2),
            group -> {
              group.sum(new double[] {1});
              return true;
            });
    assertThat(sum.join()).containsExactly(3);
    assertThat(RankThreads.result(rank0)).isTrue();
    assertThat(log.get(0))
        .isEqualTo(
            "Rank 1 waits for rank 0 at 127.0.0.1:%d, up to 2 min: Connection refused"
                .formatted(port));
    rank1.join();
  }

  @Test
  void aMasterWhoseNameNeverResolvesIsNamed() {
    Rendezvous rendezvous =
        new Rendezvous("no-such-host.invalid", 29500, 1, 2, SHORT, SHORT, "cpu");
    assertThatThrownBy(() -> C10dGroup.join(rendezvous, line -> {}))
        .isInstanceOf(TrainerException.class)
        .hasMessageStartingWith(
            "Rank 1 can't reach rank 0 at no-such-host.invalid:29500 within 2 s:"
                + " the name doesn't resolve.")
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.TRY_AGAIN);
  }

  @Test
  void ranksThatDoNotComeAreNamed() throws IOException {
    int port = RankThreads.freePort();
    CompletableFuture<Boolean> rank1 =
        RankThreads.start(RankThreads.at(port, 1, 4, RankThreads.PATIENCE, SHORT), group -> true);
    assertThatThrownBy(
            () ->
                C10dGroup.join(
                    RankThreads.at(port, 0, 4, Duration.ofSeconds(4), SHORT), line -> {}))
        .isInstanceOf(TrainerException.class)
        .hasMessage("Ranks 2 and 3 of 4 haven't joined within 4 s; all others have.");
    assertThatThrownBy(() -> RankThreads.result(rank1))
        .isInstanceOf(TrainerException.class)
        .hasMessageStartingWith("Ranks 2 and 3 of 4 haven't joined when rank 0 gave up");
  }

  @Test
  void aSecondProcessOfARankIsRefused() throws IOException {
    int port = RankThreads.freePort();
    CompletableFuture<Boolean> rank0 =
        RankThreads.start(RankThreads.at(port, 0, 3, Duration.ofSeconds(5), SHORT), group -> true);
    CompletableFuture<Boolean> one = RankThreads.start(RankThreads.at(port, 1, 3), group -> true);
    CompletableFuture<Boolean> other = RankThreads.start(RankThreads.at(port, 1, 3), group -> true);
    assertThatThrownBy(() -> CompletableFuture.anyOf(one, other).join())
        .hasMessageContaining("Another process has joined as rank 1 of 3 already");
    assertThatThrownBy(() -> RankThreads.result(rank0))
        .hasMessageContaining("Rank 2 of 3 hasn't joined");
  }

  @Test
  void aPortThatIsTakenIsNamed() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      assertThatThrownBy(
              () ->
                  C10dGroup.join(
                      RankThreads.at(taken.getLocalPort(), 0, 2, SHORT, SHORT), line -> {}))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("Rank 0 can't listen on port " + taken.getLocalPort())
          .hasMessageNotContaining("\n");
    }
  }

  @Test
  void aStrangerInTheMastersPlaceIsNotWaitedForWithoutEnd() throws IOException {
    try (ServerSocket stranger = new ServerSocket(0)) {
      assertThatThrownBy(
              () ->
                  C10dGroup.join(
                      RankThreads.at(stranger.getLocalPort(), 1, 2, SHORT, SHORT), line -> {}))
          .isInstanceOf(TrainerException.class)
          .hasMessageStartingWith(
              "What listens at 127.0.0.1:%d isn't rank 0".formatted(stranger.getLocalPort()));
    }
  }

  @Test
  void aDeviceThatTheLibraryCannotServeIsNamed() throws IOException {
    Rendezvous rendezvous =
        new Rendezvous("127.0.0.1", RankThreads.freePort(), 0, 1, SHORT, SHORT, "cuda:0");
    assertThatThrownBy(() -> C10dGroup.join(rendezvous, line -> {}))
        .isInstanceOf(TrainerException.class)
        .hasMessage(
            "Rank 0 can't use cuda:0 with the other ranks: libfinetune_c10d was built without NCCL.")
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.DEVICE);
  }

  @Test
  void aLibtorchWithoutALibrarySaysHowToHaveOne() {
    assertThatThrownBy(() -> C10dLibrary.loadResource("1.0.0-cpu"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("for libtorch 1.0.0-cpu")
        .hasMessageContaining("apt-get install g++")
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.USAGE);
  }
}
