package dev.finetune.trainer.placement;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Says where a replica doesn't fit, and which changes make it fit.
 *
 * @param memory what the replica takes
 * @param plan the one that lacks least
 */
record MemoryShortage(ReplicaMemory memory, LayerPlan plan) {
  private static final int SHORTEST = 128;

  private static final int MOST_DEVICES = 16;

  String message() {
    int worst =
        IntStream.range(0, plan.devices().size())
            .boxed()
            .max((a, b) -> Long.compare(plan.missing(a), plan.missing(b)))
            .orElseThrow();
    List<String> helps = helps();
    return "the model doesn't fit: %s lacks %s of %s for layers %s with a micro-batch of %d x %d tokens%s\n%s"
        .formatted(
            plan.devices().get(worst),
            ByteSize.gib(plan.missing(worst)),
            ByteSize.gib(plan.loads().get(worst).sum()),
            plan.loads().get(worst).layers(),
            memory.batch().rows(),
            memory.batch().length(),
            helps.isEmpty()
                ? "; no single setting makes it fit, take a smaller model or larger devices"
                : "; any of these makes it fit: " + String.join(", ", helps),
            String.join("\n", plan.table()));
  }

  /** Every change that is enough by itself, the cheapest first; together, where none is. */
  private List<String> helps() {
    MicroBatchSize batch = memory.batch();
    List<String> helps = new ArrayList<>();
    if (!batch.recompute() && fits(batch.recomputing())) {
      helps.add("training.gradientCheckpointing: true");
    }
    for (int rows = batch.rows() / 2; rows >= 1; rows /= 2) {
      if (fits(batch.withRows(rows))) {
        helps.add(
            "training.batchSize: %d with more gradientAccumulationSteps (the result is the same)"
                .formatted(rows));
        break;
      }
    }
    if (batch.bytesPerNumber() > 2 && fits(batch.inBf16())) {
      helps.add("training.precision: BF16");
    }
    if (memory.quantizable() && fits(memory.inNf4())) {
      helps.add("model.quantization: NF4");
    }
    for (int length = batch.length() / 2; length >= SHORTEST; length /= 2) {
      if (fits(batch.withLength(length))) {
        helps.add("training.maxLength: " + length);
        break;
      }
    }
    moreDevices().ifPresent(helps::add);
    if (helps.isEmpty() && fits(batch.recomputing().withRows(1).inBf16())) {
      helps.add(
          "training.gradientCheckpointing: true, batchSize: 1 and precision: BF16 all together");
    }
    return helps;
  }

  private boolean fits(MicroBatchSize other) {
    return fits(memory.with(other));
  }

  private boolean fits(ReplicaMemory other) {
    return LayerPlan.best(other, plan.devices(), plan.budgets()).fits();
  }

  private Optional<String> moreDevices() {
    long like = Collections.min(plan.budgets());
    for (int more = 1;
        plan.devices().size() + more <= Math.min(memory.layers(), MOST_DEVICES);
        more++) {
      List<String> devices = new ArrayList<>(plan.devices());
      devices.addAll(Collections.nCopies(more, "another"));
      List<Long> budgets = new ArrayList<>(plan.budgets());
      budgets.addAll(Collections.nCopies(more, like));
      if (LayerPlan.best(memory, devices, budgets).fits()) {
        return Optional.of(
            "%d more device%s of %s".formatted(more, more == 1 ? "" : "s", ByteSize.gib(like)));
      }
    }
    return Optional.empty();
  }
}
