package dev.finetune.trainer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.RunIdentity;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.distributed.ProcessGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/**
 * What rank 0 tells the others before training, in this order: it alone reads the destination. The
 * others check that they read the same model and rows.
 */
final class Briefing {
  /** Rank 0 may have to hash a large model, and to verify checkpoints. */
  private static final Duration PATIENCE = Duration.ofMinutes(30);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ProcessGroup group;

  Briefing(ProcessGroup group) {
    this.group = group;
  }

  /** The date on which the run began; templates may write it. */
  void tellDate(LocalDate date) {
    tell("date", date.toString());
  }

  LocalDate hearDate() {
    return LocalDate.parse(hear("date", String.class));
  }

  void tellRun(RunIdentity run) {
    tell("run", run);
  }

  /**
   * Compares this rank's run with that of rank 0.
   *
   * @throws TrainerException USAGE if they differ: the ranks would train on top of different models
   */
  void check(RunIdentity run) {
    List<String> differences = run.differencesFrom(hear("run", RunIdentity.class));
    if (!differences.isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "rank %d doesn't read what rank 0 does: %s; every node needs the same model and data"
              .formatted(group.rank(), String.join("; ", differences)));
    }
  }

  /**
   * Where training begins.
   *
   * @param state empty where there is nothing left to do
   */
  void tellStart(Optional<TrainerState> state) {
    tell("start", state.orElse(null));
  }

  Optional<TrainerState> hearStart() {
    return Optional.ofNullable(hear("start", TrainerState.class));
  }

  private void tell(String key, Object value) {
    try {
      group.put("briefing/" + key, JSON.writeValueAsBytes(value));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private <T> T hear(String key, Class<T> type) {
    try {
      return JSON.readValue(group.await("briefing/" + key, PATIENCE), type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
