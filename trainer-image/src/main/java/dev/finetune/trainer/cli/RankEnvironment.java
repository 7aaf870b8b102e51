package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * The processes that train together, as torchrun's variables tell of them. A launcher is told of
 * nodes; it tells each worker that it starts its rank.
 *
 * @param nodes pods or machines
 * @param nodeRank number of this one, from 0
 * @param ranksPerNode processes of each; empty: one for each device
 * @param worker what a launcher told this process; empty where none started it
 * @param launcher process id of the launcher that started this worker
 * @param masterAddress host of rank 0
 * @param masterPort port of rank 0; empty: the launcher of a single node chooses a free one
 * @param startTimeout how long ranks wait for each other to start
 * @param timeout how long a rank waits for one that takes no part
 */
record RankEnvironment(
    int nodes,
    int nodeRank,
    Optional<Integer> ranksPerNode,
    Optional<Worker> worker,
    Optional<Long> launcher,
    String masterAddress,
    Optional<Integer> masterPort,
    Duration startTimeout,
    Duration timeout) {

  /** Rank among all processes, set by a launcher. */
  static final String RANK = "RANK";

  /** Rank among those of its node. */
  static final String LOCAL_RANK = "LOCAL_RANK";

  /** Number of all processes. */
  static final String WORLD_SIZE = "WORLD_SIZE";

  /** Process id of the launcher, with which its workers end. */
  static final String LAUNCHER = "FINETUNE_LAUNCHER";

  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration START_TIMEOUT = Duration.ofMinutes(30);
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  /**
   * A process that a launcher started.
   *
   * @param rank among all, from 0
   * @param localRank among those of its node
   * @param ranks how many there are in all
   */
  record Worker(int rank, int localRank, int ranks) {}

  static RankEnvironment of(Map<String, String> variables) {
    Optional<Integer> rank = number(variables, RANK, 0);
    int nodes = number(variables, TrainerEnvironment.NODES, 1).orElse(1);
    int nodeRank = number(variables, TrainerEnvironment.NODE_RANK, 0).orElse(0);
    if (nodeRank >= nodes) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is %d, and there are %d nodes (%s): it must be from 0 to %d"
              .formatted(
                  TrainerEnvironment.NODE_RANK,
                  nodeRank,
                  nodes,
                  TrainerEnvironment.NODES,
                  nodes - 1));
    }
    return new RankEnvironment(
        nodes,
        nodeRank,
        number(variables, TrainerEnvironment.RANKS_PER_NODE, 1),
        rank.map(
            each ->
                new Worker(
                    each,
                    number(variables, LOCAL_RANK, 0).orElse(0),
                    number(variables, WORLD_SIZE, 1).orElse(1))),
        number(variables, LAUNCHER, 1).map(Integer::longValue),
        masterAddress(variables, nodes),
        number(variables, TrainerEnvironment.MASTER_PORT, 1),
        seconds(variables, TrainerEnvironment.RANK_START_TIMEOUT).orElse(START_TIMEOUT),
        seconds(variables, TrainerEnvironment.RANK_TIMEOUT).orElse(TIMEOUT));
  }

  private static String masterAddress(Map<String, String> variables, int nodes) {
    String address = variables.get(TrainerEnvironment.MASTER_ADDRESS);
    if (address == null && nodes > 1) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is %d, but %s isn't set: it must be the host name or address of node 0"
              .formatted(TrainerEnvironment.NODES, nodes, TrainerEnvironment.MASTER_ADDRESS));
    }
    return address == null ? LOOPBACK : address;
  }

  private static Optional<Duration> seconds(Map<String, String> variables, String name) {
    return number(variables, name, 1).map(Duration::ofSeconds);
  }

  private static Optional<Integer> number(Map<String, String> variables, String name, int least) {
    String text = variables.get(name);
    if (text == null || text.isBlank()) {
      return Optional.empty();
    }
    try {
      int number = Integer.parseInt(text.strip());
      if (number >= least) {
        return Optional.of(number);
      }
    } catch (NumberFormatException e) {
      // Said below, together with numbers that are too small.
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "%s is '%s', which is no whole number of at least %d".formatted(name, text, least));
  }
}
