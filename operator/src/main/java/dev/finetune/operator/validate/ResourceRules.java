package dev.finetune.operator.validate;

import dev.finetune.api.v1alpha1.Parallelism;
import dev.finetune.api.v1alpha1.ResourceOptions;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/** Rules of the pods' hardware. The schema knows a quantity only as a string or a number. */
final class ResourceRules {
  private ResourceRules() {}

  static void check(ResourceOptions resources, List<Violation> violations) {
    if (resources == null) {
      return;
    }
    layers(resources, violations);
    amount("cpu", "4", resources.cpu(), violations);
    var memory = amount("memory", "16Gi", resources.memory(), violations);
    var shared = amount("sharedMemory", "1Gi", resources.sharedMemory(), violations);
    if (memory.isPresent() && shared.isPresent() && shared.get().compareTo(memory.get()) > 0) {
      violations.add(
          new Violation(
              "spec.resources.sharedMemory",
              "is "
                  + resources.sharedMemory()
                  + ", more than memory with "
                  + resources.memory()
                  + ", against which it counts; lower it or raise memory"));
    }
  }

  /** The CRD says the same to an API server that checks it. */
  private static void layers(ResourceOptions resources, List<Violation> violations) {
    boolean layers = resources.parallelism() == Parallelism.LAYERS;
    if (layers && resources.nodes() != null && resources.nodes() > 1) {
      violations.add(
          new Violation(
              "spec.resources.nodes",
              "is "
                  + resources.nodes()
                  + ", and parallelism Layers lays the model over the GPUs of one pod; set it to 1"));
    }
    if (resources.deviceMaxMemory() == null) {
      return;
    }
    if (!layers) {
      violations.add(
          new Violation(
              "spec.resources.deviceMaxMemory",
              "needs parallelism Layers; leave it out with Data"));
    }
    int given = resources.deviceMaxMemory().size();
    if (resources.gpusPerNode() != null && resources.gpusPerNode() != given) {
      violations.add(
          new Violation(
              "spec.resources.deviceMaxMemory",
              "has "
                  + given
                  + " amounts for "
                  + resources.gpusPerNode()
                  + " GPUs; give one for each of gpusPerNode"));
    }
  }

  private static Optional<BigDecimal> amount(
      String field, String example, Quantity quantity, List<Violation> violations) {
    if (quantity == null) {
      return Optional.empty();
    }
    try {
      BigDecimal amount = quantity.getNumericalAmount();
      if (amount.signum() > 0) {
        return Optional.of(amount);
      }
    } catch (IllegalArgumentException e) {
      // Said below: the client parses a quantity only when it is asked for its amount.
    }
    violations.add(
        new Violation(
            "spec.resources." + field,
            "'" + quantity + "' is no amount above 0; write one such as " + example));
    return Optional.empty();
  }
}
