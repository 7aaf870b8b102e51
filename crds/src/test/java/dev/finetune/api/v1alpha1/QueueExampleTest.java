package dev.finetune.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.Quantity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** examples/queued.yaml and the queue for it, examples/kueue.yaml. */
class QueueExampleTest {
  private static final Path EXAMPLES = Path.of("..", "examples");
  private static final YAMLMapper YAML = new YAMLMapper();

  private final Map<String, JsonNode> setUp = new HashMap<>();
  private FineTuneJob job;
  private JsonNode group;

  @BeforeEach
  void read() throws IOException {
    try (var documents =
        YAML.readerFor(JsonNode.class).readValues(EXAMPLES.resolve("kueue.yaml").toFile())) {
      while (documents.hasNextValue()) {
        JsonNode object = (JsonNode) documents.nextValue();
        setUp.put(
            object.path("kind").asText() + " " + object.at("/metadata/name").asText(), object);
      }
    }
    job = YAML.readValue(EXAMPLES.resolve("queued.yaml").toFile(), FineTuneJob.class);
    JsonNode local = setUp.get("LocalQueue " + job.getSpec().queueName());
    JsonNode cluster = setUp.get("ClusterQueue " + local.at("/spec/clusterQueue").asText());
    group = cluster.at("/spec/resourceGroups/0");
  }

  @Test
  void theQueueHasTheJobsPriorityAndItsFlavor() {
    String priority = job.getMetadata().getLabels().get("kueue.x-k8s.io/priority-class");

    assertThat(setUp)
        .containsKey("WorkloadPriorityClass " + priority)
        .containsKey("ResourceFlavor " + group.at("/flavors/0/name").asText());
  }

  @Test
  void theQueueHasRoomForTheJob() {
    ResourceOptions wanted = job.getSpec().resources();

    assertThat(group.at("/coveredResources"))
        .as("a pod that asks for a resource which its queue doesn't cover is never admitted")
        .extracting(JsonNode::asText)
        .containsExactlyInAnyOrder("cpu", "memory", "nvidia.com/gpu");
    assertThat(quota("nvidia.com/gpu")).isGreaterThanOrEqualTo(wanted.gpusPerNode());
    assertThat(quota("cpu")).isGreaterThanOrEqualTo(amount(wanted.cpu()));
    assertThat(quota("memory")).isGreaterThanOrEqualTo(amount(wanted.memory()));
  }

  private double quota(String resource) {
    for (JsonNode each : group.at("/flavors/0/resources")) {
      if (each.path("name").asText().equals(resource)) {
        return amount(Quantity.parse(each.path("nominalQuota").asText()));
      }
    }
    throw new AssertionError("no quota of " + resource);
  }

  private static double amount(Quantity quantity) {
    return Quantity.getAmountInBytes(quantity).doubleValue();
  }
}
