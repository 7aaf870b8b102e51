package dev.finetune.trainer.distributed;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A group of c10d's. Numbers and tensors on the CPU go by Gloo, tensors on a GPU by NCCL.
 *
 * <p>Gloo uses the network interface that {@code GLOO_SOCKET_IFNAME} names; without it, this host's
 * address on the way to rank 0. So does NCCL, unless {@code NCCL_SOCKET_IFNAME} says otherwise.
 */
public final class C10dGroup implements ProcessGroup {
  private static final String NETWORK_INTERFACE = "GLOO_SOCKET_IFNAME";

  /** How long after a failure the other ranks may take to say that they are alive. */
  static final Duration CENSUS = Duration.ofSeconds(2);

  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final Duration CLOSING = Duration.ofSeconds(1);

  private final Rendezvous rendezvous;
  private final C10dStore store;
  private final Duration census;
  private long group;
  private RankLostException lost;

  private C10dGroup(Rendezvous rendezvous, C10dStore store, long group, Duration census) {
    this.rendezvous = rendezvous;
    this.store = store;
    this.group = group;
    this.census = census;
  }

  /**
   * Meets the other ranks; returns when all are there.
   *
   * @param rendezvous where, and who this is
   * @param log gets a line when something has to be waited for, and then one every half a minute
   * @throws TrainerException if rank 0 or another rank isn't there before the start timeout, if
   *     another process has this rank, or if the native library is missing
   */
  public static C10dGroup join(Rendezvous rendezvous, Consumer<String> log) {
    return join(rendezvous, log, CENSUS);
  }

  static C10dGroup join(Rendezvous rendezvous, Consumer<String> log, Duration census) {
    C10dLibrary.load();
    try {
      MasterRoute route =
          rendezvous.rank() == 0
              ? MasterRoute.ofMaster(rendezvous)
              : MasterRoute.find(rendezvous, log);
      C10dStore store = openStore(rendezvous, route.master());
      boolean open = false;
      try {
        meet(rendezvous, store, log);
        long group = openGroup(rendezvous, store, route);
        open = true;
        return new C10dGroup(rendezvous, store, group, census);
      } finally {
        if (!open) {
          store.close();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrainerException(
          TrainerExit.TRY_AGAIN, "Interrupted while the other ranks were waited for.", e);
    }
  }

  private static C10dStore openStore(Rendezvous rendezvous, InetAddress master) {
    try {
      return C10dStore.open(
          master.getHostAddress(),
          rendezvous.masterPort(),
          rendezvous.rank() == 0,
          rendezvous.startTimeout());
    } catch (C10dStore.LostException e) {
      String reason = Optional.ofNullable(e.getCause().getMessage()).orElse("no answer");
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          rendezvous.rank() == 0
              ? "Rank 0 can't listen on port %d: %s".formatted(rendezvous.masterPort(), reason)
              : "What listens at %s isn't rank 0: %s".formatted(rendezvous.master(), reason),
          e);
    }
  }

  /** Waits until every rank has connected to the store. */
  private static void meet(Rendezvous rendezvous, C10dStore store, Consumer<String> log)
      throws InterruptedException {
    Duration patience = rendezvous.startTimeout();
    String limit = Rendezvous.inWords(patience);
    Set<Integer> late =
        IntStream.range(0, rendezvous.size())
            .boxed()
            .collect(Collectors.toCollection(TreeSet::new));
    long deadline = System.nanoTime() + patience.toNanos();
    Reminder reminder = new Reminder(log);
    try {
      if (store.count("joined/" + rendezvous.rank(), patience) > 1) {
        throw new TrainerException(
            TrainerExit.TRY_AGAIN,
            "Another process has joined as rank %d of %d already; each needs a rank of its own."
                .formatted(rendezvous.rank(), rendezvous.size()));
      }
      while (true) {
        late.removeIf(rank -> store.get("joined/" + rank, patience).isPresent());
        if (late.isEmpty()) {
          return;
        }
        if (System.nanoTime() - deadline >= 0) {
          throw new TrainerException(
              TrainerExit.TRY_AGAIN,
              absent(late, rendezvous) + " joined within " + limit + "; all others have.");
        }
        reminder.say(absent(late, rendezvous) + " joined yet; waiting up to " + limit);
        Thread.sleep(PAUSE.toMillis());
      }
    } catch (C10dStore.LostException e) {
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          absent(late, rendezvous) + " joined when rank 0 gave up: " + e.getMessage() + ".",
          e);
    }
  }

  private static String absent(Set<Integer> late, Rendezvous rendezvous) {
    return "%s of %d %s"
        .formatted(
            RankLostException.named(late),
            rendezvous.size(),
            late.size() == 1 ? "hasn't" : "haven't");
  }

  private static long openGroup(Rendezvous rendezvous, C10dStore store, MasterRoute route) {
    String networkInterface = Optional.ofNullable(System.getenv(NETWORK_INTERFACE)).orElse("");
    String own = route.own().getHostAddress();
    try {
      return C10dLibrary.openGroup(
          store.handle(),
          rendezvous.rank(),
          rendezvous.size(),
          networkInterface,
          own,
          rendezvous.cuda() ? ncclInterface(networkInterface, route) : null,
          rendezvous.timeout().toMillis());
    } catch (IllegalArgumentException e) {
      throw new TrainerException(
          TrainerExit.DEVICE,
          "Rank %d can't use %s with the other ranks: %s."
              .formatted(rendezvous.rank(), rendezvous.device(), e.getMessage()),
          e);
    } catch (C10dException e) {
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          "Rank %d, which listens at %s, can't connect to the other ranks: %s. Let them reach each other on all ports, or name the interface between them in %s."
              .formatted(
                  rendezvous.rank(),
                  networkInterface.isEmpty() ? own : networkInterface,
                  e.getMessage(),
                  NETWORK_INTERFACE),
          e);
    }
  }

  private static String ncclInterface(String networkInterface, MasterRoute route) {
    return networkInterface.isEmpty() ? route.ownInterface() : networkInterface;
  }

  @Override
  public int rank() {
    return rendezvous.rank();
  }

  @Override
  public int size() {
    return rendezvous.size();
  }

  @Override
  public void sum(double[] values) {
    collective(handle -> C10dLibrary.allReduceDoubles(handle, values, false));
  }

  @Override
  public void max(double[] values) {
    collective(handle -> C10dLibrary.allReduceDoubles(handle, values, true));
  }

  @Override
  public void sum(ScriptValue tensor) {
    collective(handle -> tensor.lendTensor(address -> C10dLibrary.allReduce(handle, address)));
  }

  @Override
  public void broadcast(ScriptValue tensor, int root) {
    collective(
        handle -> tensor.lendTensor(address -> C10dLibrary.broadcast(handle, address, root)));
  }

  @Override
  public void reduceScatter(ScriptValue input, ScriptValue output) {
    collective(
        handle ->
            input.lendTensor(
                whole ->
                    output.lendTensor(part -> C10dLibrary.reduceScatter(handle, whole, part))));
  }

  @Override
  public void allGather(ScriptValue input, ScriptValue output) {
    collective(
        handle ->
            input.lendTensor(
                part -> output.lendTensor(whole -> C10dLibrary.allGather(handle, part, whole))));
  }

  @Override
  public void barrier() {
    collective(C10dLibrary::barrier);
  }

  @FunctionalInterface
  private interface Collective {
    void run(long group);
  }

  private synchronized void collective(Collective collective) {
    if (lost != null) {
      throw new RankLostException(lost.kind(), lost.ranks(), lost.getMessage(), lost);
    }
    if (group == 0) {
      throw new IllegalStateException("the process group is closed");
    }
    try {
      collective.run(group);
    } catch (C10dException e) {
      // The others that still wait for this rank are to notice too, before they are asked.
      boolean failed = true;
      closeGroup(failed);
      if (e.isOwnDevice()) {
        throw e;
      }
      lost = RankCensus.take(store, rendezvous, census, e);
      throw lost;
    }
  }

  @Override
  public void put(String key, byte[] value) {
    asking(
        () -> {
          store.put(userKey(key), value, rendezvous.timeout());
          return true;
        });
  }

  @Override
  public Optional<byte[]> get(String key) {
    return asking(() -> store.get(userKey(key), rendezvous.timeout()));
  }

  @Override
  public byte[] await(String key, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      Optional<byte[]> value = get(key);
      if (value.isPresent()) {
        return value.get();
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new RankLostException(
            RankLostException.Kind.TIMEOUT,
            List.of(),
            "No rank has set %s within %s.".formatted(key, Rendezvous.inWords(patience)),
            null);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a key was waited for", e);
    }
  }

  private <T> T asking(Supplier<T> question) {
    try {
      return question.get();
    } catch (C10dStore.LostException e) {
      throw new RankLostException(
          e.kind(),
          List.of(0),
          "Rank 0 of %d is lost: %s.".formatted(rendezvous.size(), e.getMessage()),
          e);
    }
  }

  /** Apart from the keys of c10d and of this class. */
  private static String userKey(String key) {
    return "user/" + key;
  }

  @Override
  public synchronized void close() {
    boolean failed = lost != null;
    closeGroup(failed);
    store.close();
  }

  /** On a thread of its own: freeing a group waits for what it was doing. */
  private void closeGroup(boolean failed) {
    if (group == 0) {
      return;
    }
    long closed = group;
    group = 0;
    Thread closing = new Thread(() -> C10dLibrary.closeGroup(closed, failed), "c10d-group-closing");
    closing.setDaemon(true);
    closing.start();
    try {
      closing.join(CLOSING.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
