package dev.finetune.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Applies manifests as they are written, so that the API server sees what no Java type knows. */
final class Manifests {
  private static final YAMLMapper YAML = new YAMLMapper();

  private final KubernetesClient client;

  Manifests(KubernetesClient client) {
    this.client = client;
  }

  /**
   * Applies every object of the files, in order.
   *
   * @return the names of the FineTuneJobs among them
   */
  List<String> apply(List<Path> files) throws IOException {
    List<String> jobs = new ArrayList<>();
    for (Path file : files) {
      for (GenericKubernetesResource object : read(file)) {
        client
            .genericKubernetesResources(object.getApiVersion(), object.getKind())
            .inNamespace(client.getNamespace())
            .resource(object)
            .forceConflicts()
            .serverSideApply();
        if (HasMetadata.getKind(FineTuneJob.class).equals(object.getKind())) {
          jobs.add(object.getMetadata().getName());
        }
      }
    }
    return jobs;
  }

  private static List<GenericKubernetesResource> read(Path file) throws IOException {
    try (var reader = Files.newBufferedReader(file);
        var objects = YAML.readerFor(JsonNode.class).<JsonNode>readValues(reader)) {
      return objects.readAll().stream().filter(JsonNode::isObject).map(Manifests::generic).toList();
    }
  }

  private static GenericKubernetesResource generic(JsonNode object) {
    return Serialization.unmarshal(object.toString(), GenericKubernetesResource.class);
  }
}
