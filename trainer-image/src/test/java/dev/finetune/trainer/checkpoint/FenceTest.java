package dev.finetune.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.train.FakeModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FenceTest {
  private static final String JOB = "5d0c9e2e";
  private static final RunToken FIRST = RunToken.of(JOB, 1, "support-1-0");
  private static final RunToken SECOND = RunToken.of(JOB, 2, "support-2-0");
  private static final RunToken ANOTHER = RunToken.of("77aa01f3", 1, "sales-1-0");

  @TempDir Path folder;

  private final FakeModel model = new FakeModel();

  @Test
  void theOwnerIsNamedInTheDestination() throws IOException {
    open(FIRST);

    JsonNode owner = new ObjectMapper().readTree(folder.resolve(".owner").toFile());
    assertThat(owner.path("job").asText()).isEqualTo(JOB);
    assertThat(owner.path("attempt").asInt()).isEqualTo(1);
    assertThat(owner.path("host").asText()).isEqualTo("support-1-0");
    assertThat(names()).containsExactly(".owner");
  }

  @Test
  void anAttemptThatComesBackFromTheDeadWritesNothingOverItsSuccessor() throws IOException {
    CheckpointStore lost = open(FIRST);
    lost.save(at(10), 1, model);
    CheckpointStore successor = open(SECOND);
    successor.save(at(20), 2, model);
    byte[] written = Files.readAllBytes(folder.resolve("checkpoint-20/manifest.json"));

    assertEndsWith(TrainerExit.TRY_AGAIN, () -> lost.save(at(20), 2, model))
        .hasMessageContaining("attempt 1 of FineTuneJob 5d0c9e2e in pod support-1-0 is superseded")
        .hasMessageContaining("attempt 2 of FineTuneJob 5d0c9e2e in pod support-2-0");
    assertEndsWith(TrainerExit.TRY_AGAIN, () -> adapter().write(lost));

    assertThat(names()).containsExactly(".owner", "checkpoint-10", "checkpoint-20");
    assertThat(folder.resolve("checkpoint-20/manifest.json")).hasBinaryContent(written);
    assertThatCode(() -> successor.save(at(30), 3, model)).doesNotThrowAnyException();
    adapter().write(successor);
    assertThat(folder.resolve("adapter/manifest.json")).exists();
  }

  @Test
  void losingTheDestinationWhileACheckpointIsWrittenLeavesNothingOfIt() throws IOException {
    CheckpointStore lost =
        scan()
            .open(
                run("data"),
                FIRST,
                2,
                file -> {
                  if (file.endsWith("manifest.json")) {
                    open(SECOND);
                    // What the successor's scan removed is written again by the one that is lost.
                    Files.createDirectories(file.getParent());
                  }
                  return Files.newOutputStream(file);
                });

    assertThatThrownBy(() -> lost.save(at(10), 1, model)).isNotNull();

    assertThat(names()).containsExactly(".owner");
  }

  @Test
  void anEarlierAttemptThatStartsLateIsTurnedAway() throws IOException {
    CheckpointStore successor = open(SECOND);

    assertEndsWith(TrainerExit.TRY_AGAIN, () -> open(FIRST)).hasMessageContaining("superseded");

    assertThatCode(() -> successor.save(at(10), 1, model)).doesNotThrowAnyException();
  }

  @Test
  void aReplacedPodOfTheSameAttemptIsSupersededToo() throws IOException {
    CheckpointStore lost = open(FIRST);
    open(RunToken.of(JOB, 1, "support-1-0-again"));

    assertEndsWith(TrainerExit.TRY_AGAIN, () -> lost.save(at(10), 1, model));
  }

  @Test
  void twoJobsOnOneFolderAreAMistakeOfTheirUser() throws IOException {
    CheckpointStore first = open(FIRST);
    open(ANOTHER);

    assertEndsWith(TrainerExit.USAGE, () -> first.save(at(10), 1, model))
        .hasMessageContaining("pvc://models/support is now written by")
        .hasMessageContaining("FineTuneJob 77aa01f3 in pod sales-1-0")
        .hasMessageContaining("FineTuneJob 5d0c9e2e in pod support-1-0")
        .hasMessageContaining("give one of them another");
  }

  @Test
  void twoProcessesOutsideOfAClusterAreToldApart() throws IOException {
    CheckpointStore first = open(RunToken.of("laptop"));
    open(RunToken.of("laptop"));

    assertEndsWith(TrainerExit.USAGE, () -> first.save(at(10), 1, model))
        .hasMessageContaining("a run on laptop");
  }

  @Test
  void aRunThatIsRefusedTakesNothingFromTheOneAtWork() throws IOException {
    CheckpointStore working = open(FIRST);
    working.save(at(10), 1, model);
    Files.createDirectory(folder.resolve(".checkpoint-20.writing"));

    assertEndsWith(TrainerExit.USAGE, () -> scan().open(run("other"), ANOTHER, 2));

    assertThat(names()).containsExactly(".checkpoint-20.writing", ".owner", "checkpoint-10");
    assertThatCode(() -> working.save(at(30), 3, model)).doesNotThrowAnyException();
  }

  @Test
  void anOwnerFileThatIsGoneIsNobodysAndATornOneIsReplaced() throws IOException {
    CheckpointStore store = open(FIRST);
    Files.delete(folder.resolve(".owner"));
    assertEndsWith(TrainerExit.USAGE, () -> store.save(at(10), 1, model))
        .hasMessageContaining("removed .owner");

    Files.writeString(folder.resolve(".owner"), "{\"job\":");
    open(SECOND).save(at(10), 1, model);
    assertThat(names()).containsExactly(".owner", "checkpoint-10");
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertEndsWith(
      TrainerExit exit, ThrowingCallable code) {
    return assertThatThrownBy(code)
        .isInstanceOfSatisfying(TrainerException.class, e -> assertThat(e.exit()).isEqualTo(exit));
  }

  private CheckpointStore open(RunToken token) throws IOException {
    return scan().open(run("data"), token, 2);
  }

  private CheckpointScan scan() {
    return new CheckpointScan(
        destination(),
        warning -> {
          throw new AssertionError(warning);
        });
  }

  private AdapterFolder adapter() {
    return new AdapterFolder(destination());
  }

  private Destination destination() {
    return new Destination(folder, "pvc://models/support");
  }

  private static RunIdentity run(String data) {
    return RunIdentity.of(
        JsonNodeFactory.instance.objectNode(), 1, data, "model", "2026-11-25", Map.of());
  }

  private static TrainerState at(int step) {
    return new TrainerState(step, LossSum.ZERO, LossSum.ZERO, null, null, List.of(), null);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
