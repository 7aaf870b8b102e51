package dev.finetune.operator.validate;

import dev.finetune.api.v1alpha1.EnvironmentVariable;
import dev.finetune.api.v1alpha1.PodOptions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Rules of the pod's options. */
final class PodRules {
  /** The operator speaks to the trainer by variables of this prefix. */
  private static final String RESERVED = "FINETUNE_";

  private PodRules() {}

  static void check(PodOptions pod, List<Violation> violations) {
    if (pod == null || pod.env() == null) {
      return;
    }
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < pod.env().size(); i++) {
      check("spec.pod.env[" + i + "]", pod.env().get(i), seen, violations);
    }
  }

  private static void check(
      String field, EnvironmentVariable variable, Set<String> seen, List<Violation> violations) {
    if (variable.name() == null) {
      violations.add(new Violation(field + ".name", "is missing"));
      return;
    }
    if (variable.name().startsWith(RESERVED)) {
      violations.add(
          new Violation(
              field + ".name",
              "'" + variable.name() + "' is the operator's; names that begin with FINETUNE_ are"));
    }
    if (!seen.add(variable.name())) {
      violations.add(
          new Violation(field + ".name", "'" + variable.name() + "' is given twice; keep one"));
    }
    if ((variable.value() == null) == (variable.secretKeyRef() == null)) {
      violations.add(new Violation(field, "give either value or secretKeyRef"));
    }
  }
}
