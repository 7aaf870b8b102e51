package dev.finetune.operator.resources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import java.util.Map;
import java.util.Optional;

/**
 * The pod's template before and after {@code spec.pod.template} was laid over it, as trees: they
 * keep a field that no type of ours knows, so that the API server can say that it is none.
 *
 * @param base what the operator builds
 * @param merged the same with the user's part
 */
public record PodOverlay(ObjectNode base, ObjectNode merged) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The templates of an attempt's pod. */
  public static PodOverlay of(FineTuneJob job, int attempt, OperatorConfig config) {
    ObjectNode base = JSON.valueToTree(TrainerPod.template(job, attempt, config));
    return new PodOverlay(base, StrategicMerge.merge(base, tree(given(job).orElse(Map.of()))));
  }

  /** What the user gave; empty where that is nothing. */
  public static Optional<Map<String, Object>> given(FineTuneJob job) {
    return Optional.ofNullable(job.getSpec().pod())
        .map(pod -> pod.template())
        .filter(template -> !template.isEmpty());
  }

  /**
   * The merged template.
   *
   * @throws IllegalArgumentException where a field has another type than Kubernetes gives it; the
   *     message names it
   */
  public PodTemplateSpec template() {
    return JSON.convertValue(merged, PodTemplateSpec.class);
  }

  /** A part of the user's template as a tree. */
  public static ObjectNode tree(Map<String, Object> template) {
    return JSON.valueToTree(template);
  }

  /**
   * Whether a volume, by its name, or a mount, by its path, holds what the recipe names, and not
   * only space to work in.
   */
  public static boolean ours(String volumeOrPath) {
    return volumeOrPath.equals(TrainerPod.RECIPE_VOLUME)
        || volumeOrPath.startsWith(ClaimVolumes.PREFIX)
        || volumeOrPath.startsWith(TrainerEnvironment.VOLUMES_FOLDER)
        || TrainerEnvironment.RECIPE_FILE.startsWith(volumeOrPath);
  }

  /** The trainer's container in a template. */
  public static JsonNode trainer(JsonNode template) {
    for (JsonNode container : template.at("/spec/containers")) {
      if (container.path("name").asText().equals(TrainerContainer.NAME)) {
        return container;
      }
    }
    return JSON.createObjectNode();
  }
}
