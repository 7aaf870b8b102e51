package dev.finetune.operator.validate;

import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.Recipe;
import java.util.List;

/** Rules of the places that a recipe reads from and writes to. */
final class SourceRules {
  private static final String CLAIM = "pvc://";
  private static final String FILE = "file:///";

  private final boolean allowFiles;
  private final List<Violation> violations;

  private SourceRules(boolean allowFiles, List<Violation> violations) {
    this.allowFiles = allowFiles;
    this.violations = violations;
  }

  static void check(Recipe recipe, boolean allowFiles, List<Violation> violations) {
    var rules = new SourceRules(allowFiles, violations);
    String model = recipe.model() == null ? null : recipe.model().source();
    rules.checkLocation("spec.recipe.model.source", model);
    rules.checkDataset(recipe.dataset());
    String destination = recipe.output() == null ? null : recipe.output().destination();
    rules.checkLocation("spec.recipe.output.destination", destination);
    if (destination != null && model != null && folder(destination).equals(folder(model))) {
      violations.add(
          new Violation(
              "spec.recipe.output.destination",
              "is the base model's own folder; name another one, such as "
                  + folder(model)
                  + "-lora"));
    }
  }

  private void checkDataset(DatasetOptions dataset) {
    String field = "spec.recipe.dataset.train";
    if (dataset == null || dataset.train() == null || dataset.train().isEmpty()) {
      violations.add(new Violation(field, "names no file to train on"));
      return;
    }
    checkSources(field, dataset.train());
    if (dataset.validation() != null && dataset.validation().sources() != null) {
      checkSources("spec.recipe.dataset.validation.sources", dataset.validation().sources());
    }
    if (dataset.imageFolder() != null) {
      checkLocation("spec.recipe.dataset.imageFolder", dataset.imageFolder());
    }
  }

  private void checkSources(String field, List<DatasetSource> sources) {
    for (int i = 0; i < sources.size(); i++) {
      checkLocation(field + "[" + i + "].source", sources.get(i).source());
    }
  }

  private void checkLocation(String field, String location) {
    if (location == null || location.isEmpty()) {
      violations.add(new Violation(field, "is missing; write pvc://CLAIM/PATH"));
    } else if (location.startsWith(FILE)) {
      if (!allowFiles) {
        violations.add(
            new Violation(
                field,
                "'"
                    + location
                    + "' is a path of one machine, and this cluster has several; put the files on a"
                    + " PersistentVolumeClaim and write pvc://CLAIM/PATH"));
      }
    } else if (!location.startsWith(CLAIM)) {
      violations.add(
          new Violation(field, "'" + location + "' is no location; write pvc://CLAIM/PATH"));
    }
    if (location != null && List.of(location.split("/")).contains("..")) {
      violations.add(
          new Violation(
              field, "'" + location + "' leaves its folder by '..'; write the path itself"));
    }
  }

  private static String folder(String location) {
    return location.replaceAll("/+$", "");
  }
}
