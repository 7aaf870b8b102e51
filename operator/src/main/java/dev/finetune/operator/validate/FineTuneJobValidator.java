package dev.finetune.operator.validate;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobSpec;
import dev.finetune.api.v1alpha1.LoraInitialization;
import dev.finetune.api.v1alpha1.MethodOptions;
import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.operator.config.OperatorConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The rules that the CRD's schema can't say, and those without which nothing can be built, since
 * not every API server checks the schema. Null-safe for the same reason.
 */
public final class FineTuneJobValidator {
  private static final int LONGEST_NAME = 52;
  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final String ALL_LINEAR = "all-linear";

  /** What all-linear doesn't stand for; the names are allowed beside it. */
  private static final Set<String> BESIDE_ALL_LINEAR =
      Set.of(ALL_LINEAR, "embed_tokens", "lm_head");

  private FineTuneJobValidator() {}

  /**
   * Finds every violation, in the order of the manifest.
   *
   * @return empty where the job can be run
   */
  public static List<Violation> validate(FineTuneJob job, OperatorConfig config) {
    var violations = new ArrayList<Violation>();
    checkName(job.getMetadata().getName(), violations);
    FineTuneJobSpec spec = job.getSpec();
    if (spec == null || spec.recipe() == null) {
      violations.add(new Violation("spec.recipe", "is missing; it says what to train"));
      return violations;
    }
    checkRecipe(spec.recipe(), config, violations);
    ResourceRules.check(spec.resources(), violations);
    PodRules.check(spec.pod(), violations);
    if (violations.isEmpty()) {
      PodTemplateRules.check(job, config, violations);
    }
    return List.copyOf(violations);
  }

  private static void checkName(String name, List<Violation> violations) {
    if (name.length() > LONGEST_NAME || !DNS_LABEL.matcher(name).matches()) {
      violations.add(
          new Violation(
              "metadata.name",
              "'"
                  + name
                  + "' can't begin the host name of a pod; use at most 52 characters of a-z, 0-9"
                  + " and -, without dots"));
    }
  }

  private static void checkRecipe(
      Recipe recipe, OperatorConfig config, List<Violation> violations) {
    SourceRules.check(recipe, config.allowFileSources(), violations);
    checkMethod(recipe.method(), violations);
    checkQuantization(recipe, violations);
    checkPacking(recipe, violations);
    checkEvaluation(recipe, violations);
  }

  private static void checkQuantization(Recipe recipe, List<Violation> violations) {
    boolean quantized = recipe.model() != null && recipe.model().quantization() == Quantization.NF4;
    MethodOptions method = recipe.method();
    if (quantized && method != null && method.full() != null) {
      violations.add(
          new Violation(
              "spec.recipe.model.quantization",
              "NF4 stores frozen weights, and method.full trains them; take lora, or None"));
    }
    if (quantized
        && method != null
        && method.lora() != null
        && method.lora().initialization() == LoraInitialization.PISSA) {
      violations.add(
          new Violation(
              "spec.recipe.model.quantization",
              "PiSSA changes the frozen weights, which NF4 stores rounded; take another"
                  + " initialization, or None"));
    }
  }

  private static void checkMethod(MethodOptions method, List<Violation> violations) {
    if (method == null || method.given() != 1) {
      violations.add(
          new Violation(
              "spec.recipe.method",
              "must name exactly one method, such as lora: {}; there are " + MethodOptions.NAMES));
      return;
    }
    if (method.lora() != null) {
      checkTargets("lora", method.lora().targetModules(), violations);
    }
    if (method.ia3() != null) {
      checkTargets("ia3", method.ia3().targetModules(), violations);
    }
  }

  private static void checkTargets(
      String method, List<String> targets, List<Violation> violations) {
    if (targets != null
        && targets.contains(ALL_LINEAR)
        && targets.stream().anyMatch(target -> !BESIDE_ALL_LINEAR.contains(target))) {
      violations.add(
          new Violation(
              "spec.recipe.method." + method + ".targetModules",
              "all-linear stands for every layer; leave it or the other names out"));
    }
  }

  private static void checkPacking(Recipe recipe, List<Violation> violations) {
    MethodOptions method = recipe.method();
    boolean virtualTokens =
        method != null && (method.prefixTuning() != null || method.promptTuning() != null);
    boolean packing = recipe.training() != null && Boolean.TRUE.equals(recipe.training().packing());
    if (virtualTokens && packing) {
      violations.add(
          new Violation(
              "spec.recipe.training.packing",
              "packed rows share a sequence, and the method puts its positions before every row;"
                  + " leave packing out"));
    }
  }

  private static void checkEvaluation(Recipe recipe, List<Violation> violations) {
    TrainingOptions training = recipe.training();
    boolean nothingHeldOut =
        recipe.dataset() != null
            && recipe.dataset().validation() != null
            && recipe.dataset().validation().sources() == null
            && Double.valueOf(0).equals(recipe.dataset().validation().fraction());
    if (training != null && training.evalSteps() != null && nothingHeldOut) {
      violations.add(
          new Violation(
              "spec.recipe.training.evalSteps",
              "there is nothing to evaluate, as dataset.validation.fraction is 0; leave evalSteps"
                  + " out or hold rows out"));
    }
    if (training != null && training.earlyStoppingPatience() != null && nothingHeldOut) {
      violations.add(
          new Violation(
              "spec.recipe.training.earlyStoppingPatience",
              "there is nothing to evaluate, as dataset.validation.fraction is 0; leave it out or hold"
                  + " rows out"));
    }
  }
}
