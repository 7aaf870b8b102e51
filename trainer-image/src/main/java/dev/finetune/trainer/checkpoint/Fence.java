package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Keeps a run that was given up for lost from writing over its successor: the last run that began
 * in a destination has its token in {@code .owner} there, and every other run ends at its next
 * write. So the next attempt may begin before a node that stopped answering is known to be dead.
 *
 * <p>A run that loses the destination between the check and the rename that follows it may still
 * put one folder in place. That is a checkpoint of its own recipe, complete, which its successor
 * replaces when it gets to the same step.
 */
public final class Fence {
  /** Its name in the destination. */
  public static final String FILE = ".owner";

  private final Destination destination;
  private final RunToken own;

  private Fence(Destination destination, RunToken own) {
    this.destination = destination;
    this.own = own;
  }

  /**
   * Makes a run the destination's owner.
   *
   * @throws TrainerException TRY_AGAIN if a later attempt of the same job already is
   */
  static Fence claim(Destination destination, RunToken own) throws IOException {
    Fence fence = new Fence(destination, own);
    Optional<RunToken> found;
    try {
      found = fence.owner();
    } catch (IOException e) {
      // Whose it was can't be told, so it keeps nobody out.
      found = Optional.empty();
    }
    if (found.isPresent() && found.get().isLaterThan(own)) {
      throw fence.lostTo(found);
    }
    fence.write();
    return fence;
  }

  /**
   * Called before each write.
   *
   * @throws TrainerException if the destination now belongs to another: TRY_AGAIN to an attempt of
   *     the same job, USAGE to another run
   */
  void check() throws IOException {
    Optional<RunToken> found = owner();
    if (!found.equals(Optional.of(own))) {
      throw lostTo(found);
    }
  }

  private TrainerException lostTo(Optional<RunToken> found) {
    if (found.isPresent() && own.isSameJobAs(found.get())) {
      return new TrainerException(
          TrainerExit.TRY_AGAIN,
          "%s is superseded: %s is now written by %s"
              .formatted(own.describe(), destination.location(), found.get().describe()));
    }
    return new TrainerException(
        TrainerExit.USAGE,
        ("%s is now written by %s, which began after this run, %s; runs can't share a destination: give one"
                + " of them another and start it again")
            .formatted(
                destination.location(),
                found.map(RunToken::describe).orElse("another program, which removed " + FILE),
                own.describe()));
  }

  private Optional<RunToken> owner() throws IOException {
    return Files.exists(file()) ? Optional.of(Json.read(file(), RunToken.class)) : Optional.empty();
  }

  private void write() throws IOException {
    Path temporary = destination.resolve(FILE + "." + own.run() + AtomicFolder.WRITING);
    Files.write(temporary, Json.bytes(own));
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.READ)) {
      channel.force(true);
    }
    Files.move(temporary, file(), StandardCopyOption.ATOMIC_MOVE);
  }

  private Path file() {
    return destination.resolve(FILE);
  }
}
