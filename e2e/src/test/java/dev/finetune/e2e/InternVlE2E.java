package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A model for pictures: InternVL2 with an InternLM2, two layers each. */
class InternVlE2E {
  private static final String METADATA = "__metadata__";

  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void theLanguageModelAndTheProjectorLearnFromPicturesOnAClaim() throws IOException {
    FineTuneJobs jobs = namespace.jobs();
    // The rows lie in rows/ and name images/a.png, so that only imageFolder leads there.
    jobs.apply(
        Manifest.tiny("sights")
            .spec(
                """
                recipe:
                  model: {source: 'pvc://models/tiny-internvl', systemPrompt: Answer briefly.}
                  dataset:
                    train: [{source: 'pvc://data/internvl/rows/train.jsonl'}]
                    validation: {fraction: 0}
                    imageFolder: pvc://data/internvl
                  training: {epochs: 20, batchSize: 2, maxLength: 512}
                """));

    FineTuneJobStatus status = jobs.awaitPhase("sights", Phase.SUCCEEDED);

    assertThat(status.attempts()).hasSize(1);
    assertThat(status.dataset().trainRows()).isEqualTo(6);
    assertThat(status.dataset().dropped()).isZero();
    assertThat(status.training().step()).isEqualTo(40);
    List<EpochResult> epochs = status.epochs();
    assertThat(epochs.get(epochs.size() - 1).loss()).isLessThan(epochs.get(0).loss());
    assertThat(status.result().adapter()).isEqualTo("pvc://results/sights/adapter");
    assertThat(tensors(namespace.results().resolve("sights/adapter/adapter_model.safetensors")))
        .containsExactlyInAnyOrderElementsOf(adapted());
  }

  /** Both matrices of every linear layer but the head's and the vision tower's. */
  private static List<String> adapted() {
    var layers = new ArrayList<String>(List.of("mlp1.1", "mlp1.3"));
    for (int layer = 0; layer < 2; layer++) {
      for (String linear :
          List.of(
              "attention.wqkv",
              "attention.wo",
              "feed_forward.w1",
              "feed_forward.w2",
              "feed_forward.w3")) {
        layers.add("language_model.model.layers." + layer + "." + linear);
      }
    }
    return layers.stream()
        .flatMap(
            layer ->
                List.of("A", "B").stream()
                    .map(matrix -> "base_model.model." + layer + ".lora_" + matrix + ".weight"))
        .toList();
  }

  /** The names in the header of a safetensors file: its length in eight bytes, then JSON. */
  private static Set<String> tensors(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    var header = new byte[Math.toIntExact(bytes.getLong())];
    bytes.get(header);
    Set<String> names = new TreeSet<>();
    new ObjectMapper().readTree(header).fieldNames().forEachRemaining(names::add);
    names.remove(METADATA);
    return names;
  }
}
