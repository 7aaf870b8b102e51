package dev.finetune.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.train.FakeData;
import dev.finetune.trainer.train.FakeModel;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
  private static final RunToken TOKEN = RunToken.of("here");

  @TempDir Path folder;

  private final FakeModel model = new FakeModel();
  private final List<String> warnings = new ArrayList<>();

  @Test
  void aCheckpointHasPeftsFilesAndTheRunsState() throws IOException {
    Checkpoint saved = open(2).save(state(40, 1.25), 2.5, model);

    assertThat(names("checkpoint-40"))
        .containsExactly(
            "adapter_config.json",
            "adapter_model.safetensors",
            "manifest.json",
            "optimizer.safetensors",
            "trainer_state.json");
    Path manifest = folder.resolve("checkpoint-40/manifest.json");
    assertThat(saved.step()).isEqualTo(40);
    assertThat(saved.epoch()).isEqualTo(2.5);
    assertThat(saved.evalLoss()).isEqualTo(1.25);
    assertThat(saved.location()).isEqualTo("pvc://models/support/checkpoint-40");
    assertThat(saved.sha256()).isEqualTo(Sha256.of(manifest));
    long bytes = 0;
    for (String name : names("checkpoint-40")) {
      bytes += Files.size(folder.resolve("checkpoint-40").resolve(name));
    }
    assertThat(saved.sizeBytes()).isEqualTo(bytes);
  }

  @Test
  void theNewestAndTheBestAreNeverDeleted() throws IOException {
    CheckpointStore store = open(2);
    save(store, 10, 3.0);
    save(store, 20, 1.0);
    save(store, 30, 2.0);
    save(store, 40, 2.5);

    assertThat(names("")).containsExactly("checkpoint-20", "checkpoint-40");
    assertThat(store.summary().best().step()).isEqualTo(20);
    assertThat(store.summary().latest().step()).isEqualTo(40);
  }

  @Test
  void keepingOneStillKeepsTheBestBesideTheNewest() throws IOException {
    CheckpointStore store = open(1);
    save(store, 10, 1.0);
    save(store, 20, 2.0);
    save(store, 30, 3.0);

    assertThat(names("")).containsExactly("checkpoint-10", "checkpoint-30");
  }

  @Test
  void theOldestGoFirstEvenWhereNamesSortOtherwise() throws IOException {
    CheckpointStore store = open(2);
    save(store, 9, 1.0);
    save(store, 10, 0.9);
    save(store, 100, 0.8);

    assertThat(names("")).containsExactly("checkpoint-10", "checkpoint-100");
  }

  @Test
  void whatThisRunDidNotWriteIsNeverDeleted() throws IOException {
    Files.createDirectory(folder.resolve("checkpoint-best"));
    Files.createDirectory(folder.resolve("notes"));
    CheckpointStore store = open(1);
    save(store, 10, 2.0);
    save(store, 20, 1.0);

    assertThat(names("")).containsExactly("checkpoint-20", "checkpoint-best", "notes");
  }

  @Test
  void rotationGoesOnAfterAResumeWithWhatIsOnDisk() throws IOException {
    save(open(2), 10, 1.0);
    save(open(2), 20, 2.0);
    CheckpointStore resumed = open(2);
    save(resumed, 30, 3.0);

    assertThat(names("")).containsExactly("checkpoint-10", "checkpoint-30");
    assertThat(resumed.summary().resumedFrom().step()).isEqualTo(20);
  }

  @Test
  void aDiskThatFillsUpAtAnyByteLeavesTheCheckpointBefore() throws IOException {
    save(open(2), 10, 1.0);
    long bytes = open(2).summary().latest().sizeBytes();

    for (long limit = 0; limit < bytes; limit += 97) {
      long room = limit;
      CheckpointStore full = scan().open(run(), TOKEN, 2, new LimitedDisk(room));
      assertThatThrownBy(() -> full.save(state(20, 0.5), 1, model))
          .as("after %d bytes", room)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No space left");
      assertThat(names("")).containsExactly("checkpoint-10");
      assertThat(full.summary().latest().step()).isEqualTo(10);
    }
    save(open(2), 20, 0.5);
    assertThat(open(2).summary().latest().step()).isEqualTo(20);
    assertThat(warnings).isEmpty();
  }

  @Test
  void aProgramThatDiesAtAnyByteOfAWriteResumesFromTheCheckpointBefore() throws IOException {
    save(open(2), 10, 1.0);
    long bytes = open(2).summary().latest().sizeBytes();

    for (long limit = 0; limit < bytes; limit += 211) {
      CheckpointStore dying = scan().open(run(), TOKEN, 2, new LimitedDisk(limit));
      // What a killed program leaves behind: the folder that close() would have removed.
      Path left = folder.resolve(".checkpoint-20.writing");
      assertThatThrownBy(() -> dying.save(state(20, 0.5), 1, model))
          .isInstanceOf(IOException.class);
      Files.createDirectory(left);
      Files.write(left.resolve("adapter_model.safetensors"), new byte[(int) limit]);

      assertThat(open(2).state().step()).isEqualTo(10);
      assertThat(names("")).containsExactly("checkpoint-10");
    }
  }

  @Test
  void aDamagedFileOfAnyKindSetsItsCheckpointAside() throws IOException {
    for (String file :
        List.of(
            "adapter_config.json",
            "adapter_model.safetensors",
            "optimizer.safetensors",
            "trainer_state.json",
            "manifest.json")) {
      Path own = Files.createDirectory(folder.resolve(file));
      Destination destination = new Destination(own, "pvc://models/support");
      CheckpointStore store = new CheckpointScan(destination, warnings::add).open(run(), TOKEN, 2);
      store.save(state(10, 1.0), 1, model);
      store.save(state(20, 0.5), 2, model);
      Path damaged = own.resolve("checkpoint-20").resolve(file);
      byte[] content = Files.readAllBytes(damaged);
      content[content.length / 2] ^= 1;
      Files.write(damaged, content);

      CheckpointStore resumed =
          new CheckpointScan(destination, warnings::add).open(run(), TOKEN, 2);

      assertThat(resumed.state().step()).as(file).isEqualTo(10);
      assertThat(own.resolve("checkpoint-20.broken-1")).exists();
      assertThat(own.resolve("checkpoint-20")).doesNotExist();
    }
    assertThat(warnings)
        .hasSize(5)
        .allSatisfy(warning -> assertThat(warning).contains("checkpoint-20", "broken-1"));
  }

  @Test
  void asManyBrokenOnesOfOneNameAsThereAreAreKept() throws IOException {
    for (int i = 0; i < 2; i++) {
      CheckpointStore store = open(2);
      save(store, 10, 1.0);
      Files.delete(folder.resolve("checkpoint-10/optimizer.safetensors"));
    }
    open(2);

    assertThat(names("")).containsExactly("checkpoint-10.broken-1", "checkpoint-10.broken-2");
  }

  @Test
  void aReplacementThatDiedBetweenItsTwoRenamesIsUndone() throws IOException {
    save(open(2), 10, 1.0);
    Files.move(folder.resolve("checkpoint-10"), folder.resolve(".checkpoint-10.replaced"));

    assertThat(open(2).state().step()).isEqualTo(10);
    assertThat(names("")).containsExactly("checkpoint-10");
  }

  @Test
  void aResumedModelHasTheCheckpointsTensors() throws IOException {
    model.accumulate(
        FakeData.of(1, 1, 0).training().window(0, 0).batches(), 1, micro -> 7, () -> false);
    model.step(0.5);
    save(open(2), 10, 1.0);

    FakeModel other = new FakeModel();
    TrainerState state = open(2).resume(other);

    assertThat(state).isEqualTo(state(10, 1.0));
    assertThat(other.weights()).containsExactly(model.weights());
  }

  @Test
  void checkpointsOfAnotherRecipeAreRefusedWithWhatDiffers() throws IOException {
    save(open(2), 10, 1.0);
    ObjectNode changed = recipe();
    ((ObjectNode) changed.get("training")).put("learningRate", 2e-4);
    RunIdentity other = RunIdentity.of(changed, 1, "data", "model", "2026-11-25", Map.of());

    assertThatThrownBy(() -> scan().open(other, TOKEN, 2))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.USAGE))
        .hasMessageContaining("pvc://models/support")
        .hasMessageContaining("checkpoint-10")
        .hasMessageContaining("training.learningRate is 2.0E-4, and was 1.0E-4")
        .hasMessageContaining("destination of its own");
    assertThat(names("")).containsExactly("checkpoint-10");
  }

  @Test
  void checkpointsOfOtherDataOrOfAnotherModelAreRefused() throws IOException {
    save(open(2), 10, 1.0);

    assertThatThrownBy(
            () ->
                scan()
                    .open(
                        RunIdentity.of(recipe(), 1, "other", "model", "2026-11-25", Map.of()),
                        TOKEN,
                        2))
        .hasMessageContaining("rows differ");
    assertThatThrownBy(
            () ->
                scan()
                    .open(
                        RunIdentity.of(recipe(), 1, "data", "other", "2026-11-25", Map.of()),
                        TOKEN,
                        2))
        .hasMessageContaining("model's files differ");
    assertThatThrownBy(
            () ->
                scan()
                    .open(
                        RunIdentity.of(recipe(), 4, "data", "model", "2026-11-25", Map.of()),
                        TOKEN,
                        2))
        .hasMessageContaining(
            "a step takes 4 rows (batchSize x gradientAccumulationSteps x ranks), and took 1");
  }

  @Test
  void settingsThatChangeNoStepMayChangeBetweenAttempts() throws IOException {
    save(open(2), 10, 1.0);
    ObjectNode changed = recipe();
    ((ObjectNode) changed.get("training"))
        .put("loggingSteps", 1)
        .put("evalSteps", 7)
        .put("saveSteps", 9)
        .put("keepCheckpoints", 5);
    ((ObjectNode) changed.get("output")).put("destination", "file:///elsewhere");
    RunIdentity same =
        RunIdentity.of(changed, 1, "data", "model", "2026-11-26", Map.of("trainer", "2"));

    assertThat(scan().open(same, TOKEN, 5).state().step()).isEqualTo(10);
  }

  @Test
  void theDateOfTheFirstAttemptIsFoundAgain() throws IOException {
    assertThat(scan().startDate()).isEmpty();
    save(open(2), 10, 1.0);

    assertThat(scan().startDate()).contains("2026-11-25");
  }

  @Test
  void theAdapterIsTheBestCheckpointsAndSaysHowItIsServed() throws IOException {
    CheckpointStore store = open(3);
    save(store, 10, 1.0);
    model.step(0);
    save(store, 20, 2.0);

    String location = new AdapterFolder(destination()).write(store);

    assertThat(location).isEqualTo("pvc://models/support/adapter");
    assertThat(names("adapter"))
        .containsExactly(
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "manifest.json",
            "trainer_state.json");
    assertThat(folder.resolve("adapter/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("checkpoint-10/adapter_model.safetensors"));
    assertThat(folder.resolve("adapter/README.md"))
        .content()
        .contains("step 10", "--max-lora-rank 16", "PeftModel", "/models/fake");
    assertThat(scan().holds(new AdapterFolder(destination()))).isTrue();
  }

  @Test
  void aBrokenAdapterIsSetAsideAndWrittenAgain() throws IOException {
    CheckpointStore store = open(2);
    save(store, 10, 1.0);
    new AdapterFolder(destination()).write(store);
    Files.delete(folder.resolve("adapter/adapter_config.json"));

    assertThat(scan().holds(new AdapterFolder(destination()))).isFalse();
    new AdapterFolder(destination()).write(open(2));

    assertThat(scan().holds(new AdapterFolder(destination()))).isTrue();
    assertThat(names("")).containsExactly("adapter", "adapter.broken-1", "checkpoint-10");
  }

  @Test
  void withoutValidationTheAdapterIsTheLastCheckpoints() throws IOException {
    CheckpointStore store = open(2);
    store.save(unevaluated(10), 1, model);
    store.save(unevaluated(20), 2, model);

    new AdapterFolder(destination()).write(store);

    assertThat(folder.resolve("adapter/trainer_state.json"))
        .hasSameTextualContentAs(folder.resolve("checkpoint-20/trainer_state.json"));
  }

  private void save(CheckpointStore store, int step, double evalLoss) throws IOException {
    store.save(state(step, evalLoss), step / 10.0, model);
  }

  private static TrainerState state(int step, double evalLoss) {
    TrainerState.Evaluation evaluation =
        new TrainerState.Evaluation(step, evalLoss, 0.5, evalLoss, 0);
    return new TrainerState(
        step,
        new LossSum(1.5, 3, 1),
        LossSum.ZERO,
        new TrainerState.Logged(0.1 + 0.2, 0.25),
        evaluation,
        List.of(),
        null);
  }

  private static TrainerState unevaluated(int step) {
    return new TrainerState(step, LossSum.ZERO, LossSum.ZERO, null, null, List.of(), null);
  }

  private CheckpointStore open(int keep) throws IOException {
    return scan().open(run(), TOKEN, keep);
  }

  private CheckpointScan scan() {
    return new CheckpointScan(destination(), warnings::add);
  }

  private Destination destination() {
    return new Destination(folder, "pvc://models/support");
  }

  private static RunIdentity run() {
    return RunIdentity.of(recipe(), 1, "data", "model", "2026-11-25", Map.of("trainer", "1"));
  }

  private static ObjectNode recipe() {
    ObjectNode recipe = JsonNodeFactory.instance.objectNode();
    recipe.putObject("training").put("learningRate", 1e-4).put("loggingSteps", 5).put("epochs", 3);
    recipe.putObject("output").put("destination", "pvc://models/support");
    return recipe;
  }

  private List<String> names(String child) throws IOException {
    try (Stream<Path> children = Files.list(folder.resolve(child))) {
      return children
          .map(path -> path.getFileName().toString())
          .filter(name -> !name.equals(Fence.FILE))
          .sorted()
          .toList();
    }
  }

  /** A disk with so much room, over all files. */
  private static final class LimitedDisk implements AtomicFolder.FileOpener {
    private long room;

    LimitedDisk(long room) {
      this.room = room;
    }

    @Override
    public OutputStream open(Path file) throws IOException {
      return new FilterOutputStream(Files.newOutputStream(file)) {
        @Override
        public void write(int b) throws IOException {
          write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          int fits = (int) Math.min(room, length);
          out.write(bytes, offset, fits);
          room -= fits;
          if (fits < length) {
            throw new IOException("No space left on device");
          }
        }
      };
    }
  }
}
