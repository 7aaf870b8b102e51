package dev.finetune.operator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobSpec;
import io.fabric8.kubernetes.client.utils.Serialization;

/** FineTuneJobs to start a test from. */
public final class Jobs {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Jobs() {}

  /** A job as the API server stores it, with every default in place. */
  public static FineTuneJob parse(String manifest) {
    return Serialization.unmarshal(manifest, FineTuneJob.class);
  }

  /** The job with the top-level fields of its spec that {@code fields} has, as YAML, replaced. */
  public static FineTuneJob with(FineTuneJob job, String fields) {
    ObjectNode spec = JSON.valueToTree(job.getSpec());
    spec.setAll((ObjectNode) Serialization.unmarshal(fields, JsonNode.class));
    job.setSpec(JSON.convertValue(spec, FineTuneJobSpec.class));
    return job;
  }

  /** A small job on the CPU that reads and writes claims. */
  public static FineTuneJob named(String name) {
    return parse(
        """
        apiVersion: finetune.dev/v1alpha1
        kind: FineTuneJob
        metadata:
          name: %s
          namespace: default
          uid: 8c1d6f3a-0000-4000-8000-000000000001
          generation: 1
          creationTimestamp: "2026-01-01T00:00:00Z"
        spec:
          recipe:
            model: {source: pvc://models/tiny}
            dataset:
              train: [{source: pvc://data/train.jsonl}]
            method:
              lora: {rank: 8}
            output: {destination: pvc://results/out}
          resources: {gpusPerNode: 2, gpuResource: nvidia.com/gpu, cpu: "2", memory: 4Gi, sharedMemory: 1Gi}
          retry: {maxRestarts: 3, backoffSeconds: 10}
        """
            .formatted(name));
  }
}
