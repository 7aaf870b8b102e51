package dev.finetune.operator.validate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.resources.Labels;
import dev.finetune.operator.resources.PodOverlay;
import dev.finetune.operator.resources.StrategicMerge;
import dev.finetune.operator.resources.TrainerContainer;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What {@code spec.pod.template} must leave as it is: that by which the operator finds the pod,
 * starts the trainer, reads its progress and learns how it ended. Everything else is the user's,
 * and the API server's to judge.
 */
final class PodTemplateRules {
  private static final String FIELD = "spec.pod.template";
  private static final String TRAINER = ".spec.containers[name=" + TrainerContainer.NAME + "].";

  private final PodOverlay overlay;
  private final List<Violation> violations;

  private PodTemplateRules(PodOverlay overlay, List<Violation> violations) {
    this.overlay = overlay;
    this.violations = violations;
  }

  /** Checks a job that keeps every other rule, so that its pod can be built. */
  static void check(FineTuneJob job, OperatorConfig config, List<Violation> violations) {
    if (PodOverlay.given(job).isEmpty()) {
      return;
    }
    JsonNode given = PodOverlay.tree(PodOverlay.given(job).get());
    int before = violations.size();
    checkForm(given, "", FIELD, violations);
    if (violations.size() > before) {
      return;
    }
    var rules = new PodTemplateRules(PodOverlay.of(job, 1, config), violations);
    rules.checkPod();
    rules.checkTrainer(
        job.getSpec().resources() == null ? null : job.getSpec().resources().gpuResource());
    rules.checkTypes();
  }

  /** Without its merge key an item can't be told from the others; a directive would be a field. */
  private static void checkForm(
      JsonNode value, String name, String path, List<Violation> violations) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(
              field -> {
                String fieldPath = path + "." + field.getKey();
                if (field.getKey().startsWith("$")) {
                  violations.add(
                      new Violation(
                          fieldPath,
                          "directives of a patch are not supported; null removes a field"));
                }
                checkForm(field.getValue(), field.getKey(), fieldPath, violations);
              });
    } else if (value.isArray()) {
      Optional<String> key = StrategicMerge.mergeKey(name);
      for (int i = 0; i < value.size(); i++) {
        String itemPath = path + "[" + i + "]";
        if (key.isPresent() && !value.get(i).hasNonNull(key.get())) {
          violations.add(
              new Violation(
                  itemPath + "." + key.get(),
                  "is missing; items are merged by their " + key.get()));
        }
        checkForm(value.get(i), "", itemPath, violations);
      }
    }
  }

  private void checkPod() {
    overlay
        .base()
        .at("/metadata/labels")
        .properties()
        .forEach(
            label ->
                unchanged(
                    ".metadata.labels[" + label.getKey() + "]",
                    label.getValue(),
                    overlay.merged().at("/metadata/labels").path(label.getKey()),
                    "the operator finds its pods by " + Labels.JOB + " and its like"));
    unchanged(
        ".spec.restartPolicy",
        overlay.base().at("/spec/restartPolicy"),
        overlay.merged().at("/spec/restartPolicy"),
        "an attempt is one try; spec.retry says how many follow");
    if (overlay.base().at("/spec").has("subdomain")) {
      unchanged(
          ".spec.subdomain",
          overlay.base().at("/spec/subdomain"),
          overlay.merged().at("/spec/subdomain"),
          "the pods find each other by the host names that it gives them");
    }
    for (JsonNode container : overlay.merged().at("/spec/containers")) {
      String name = container.path("name").asText();
      if (!name.equals(TrainerContainer.NAME)) {
        violations.add(
            new Violation(
                FIELD + ".spec.containers[name=" + name + "]",
                "would keep the pod and its GPUs after the trainer has ended; make it one of"
                    + " initContainers with restartPolicy Always, which Kubernetes ends then"));
      }
    }
    keeps(
        ".spec.volumes",
        overlay.base().at("/spec"),
        overlay.merged().at("/spec"),
        "volumes",
        PodOverlay::ours);
  }

  private void checkTrainer(String gpuResource) {
    JsonNode base = PodOverlay.trainer(overlay.base());
    JsonNode merged = PodOverlay.trainer(overlay.merged());
    for (String field :
        List.of("command", "args", "terminationMessagePath", "terminationMessagePolicy")) {
      unchanged(
          TRAINER + field,
          base.path(field),
          merged.path(field),
          "the operator starts the trainer and reads its last words; pod.env can change its behaviour");
    }
    keeps(TRAINER + "ports", base, merged, "ports", port -> true);
    keeps(TRAINER + "env", base, merged, "env", name -> name.startsWith("FINETUNE_"));
    keeps(TRAINER + "volumeMounts", base, merged, "volumeMounts", PodOverlay::ours);
    if (gpuResource != null) {
      for (String kind : List.of("limits", "requests")) {
        unchanged(
            TRAINER + "resources." + kind + "[" + gpuResource + "]",
            base.path("resources").path(kind).path(gpuResource),
            merged.path("resources").path(kind).path(gpuResource),
            "set spec.resources.gpusPerNode");
      }
    }
  }

  /** The items that the operator put into a list are still there, as they were. */
  private void keeps(
      String path, JsonNode base, JsonNode merged, String list, Predicate<String> ours) {
    String key = StrategicMerge.mergeKey(list).orElseThrow();
    for (JsonNode item : base.path(list)) {
      if (ours.test(item.path(key).asText())) {
        unchanged(
            path + "[" + key + "=" + item.path(key).asText() + "]",
            item,
            find(merged.path(list), key, item),
            "the trainer is told to use it; add another one beside it");
      }
    }
  }

  private static JsonNode find(JsonNode list, String key, JsonNode wanted) {
    for (JsonNode item : list) {
      if (item.path(key).equals(wanted.path(key))) {
        return item;
      }
    }
    return list.path(-1);
  }

  private void unchanged(String path, JsonNode base, JsonNode merged, String why) {
    if (!base.equals(merged)) {
      violations.add(new Violation(FIELD + path, "must stay what it is: " + why));
    }
  }

  private void checkTypes() {
    try {
      overlay.template();
    } catch (IllegalArgumentException e) {
      violations.add(
          new Violation(FIELD, "is no part of a PodTemplateSpec: " + firstLine(e.getMessage())));
    }
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
