package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.trainer.data.LengthHistogram;
import dev.finetune.trainer.data.PictureCounts;
import dev.finetune.trainer.placement.ByteSize;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A plan as a person reads it.
 *
 * @param plan what is known
 * @param width characters of a line
 */
record PlanText(RunPlan plan, int width) {
  private static final String LABEL = "%-10s ";
  private static final int LENGTH_LABEL = 32;

  /** Its lines. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    rows(lines);
    pictures(lines);
    lengths(lines);
    steps(lines);
    lines.addAll(devices(plan.devices()));
    time(lines);
    plan.warnings().forEach(warning -> lines.add("warning: " + warning));
    return lines;
  }

  static String line(String label, String text, Object... values) {
    return LABEL.formatted(label) + String.format(Locale.ROOT, text, values);
  }

  private void rows(List<String> lines) {
    DatasetVerdict rows = plan.dataset();
    lines.add(
        line(
            "rows",
            "%,d: %,d to train on, %,d held out",
            rows.rows(),
            rows.trainRows(),
            rows.validationRows()));
    lines.add(
        line(
            "left out",
            "%,d longer than maxLength, %,d with nothing to learn, %,d that can't be read",
            rows.dropped(),
            rows.unsupervised(),
            rows.skipped()));
    if (rows.truncated() > 0) {
      lines.add(
          line(
              "cut",
              "%,d to maxLength, %,d of them without the token that ends the answer",
              rows.truncated(),
              rows.withoutEnd()));
    }
    lines.add(
        line(
            "tokens",
            "%,d an epoch, %,d of them to learn; longest row %,d",
            rows.tokens(),
            rows.supervisedTokens(),
            rows.maxLength()));
  }

  private void pictures(List<String> lines) {
    PictureCounts pictures = plan.pictures();
    if (pictures != null) {
      lines.add(
          line(
              "pictures",
              "%,d in %,d %s, %,d tiles of %,d tokens; a picture takes up to %,d of maxLength %,d"
                  + " tokens, a row's up to %,d here",
              pictures.pictures(),
              pictures.rows(),
              pictures.rows() == 1 ? "row" : "rows",
              pictures.tiles(),
              pictures.tokensPerTile(),
              pictures.most(),
              pictures.maxLength(),
              pictures.mostOfRow()));
    }
  }

  private void lengths(List<String> lines) {
    int most = plan.lengths().stream().mapToInt(LengthHistogram.Bar::rows).max().orElse(0);
    int longest = Math.max(1, width - LENGTH_LABEL);
    String label = "lengths";
    for (LengthHistogram.Bar bar : plan.lengths()) {
      int length = (int) Math.ceil((double) longest * bar.rows() / Math.max(1, most));
      lines.add(
          line(label, "%7d-%-7d %,9d %s", bar.from(), bar.to(), bar.rows(), "#".repeat(length))
              .stripTrailing());
      label = "";
    }
  }

  private void steps(List<String> lines) {
    lines.add(
        line(
            "steps",
            "%,d an epoch, %,d in all, on %d %s; %.0f %% of what is computed is padding",
            plan.steps().perEpoch(),
            plan.steps().total(),
            plan.steps().ranks(),
            plan.steps().ranks() == 1 ? "rank" : "ranks",
            100 * plan.work().padding()));
    if (plan.packed() != null) {
      lines.add(
          line(
              "packing",
              "would compute %,d tokens an epoch in %,d steps, instead of %,d in %,d",
              plan.packed().computedTokens(),
              plan.packed().steps(),
              plan.work().computedTokens(),
              plan.work().steps()));
    }
  }

  /** A line for each device. */
  static List<String> devices(List<RunPlan.Device> devices) {
    List<String> lines = new ArrayList<>();
    String label = "memory";
    for (RunPlan.Device device : devices) {
      lines.add(
          line(
              label,
              "%s: layers %s, %s (weights %s, adapter and optimizer %s, activations %s)",
              device.device(),
              device.layers(),
              ByteSize.gib(device.sum()),
              ByteSize.gib(device.weights()),
              ByteSize.gib(device.adapter()),
              ByteSize.gib(device.activations())));
      label = "";
    }
    return lines;
  }

  private void time(List<String> lines) {
    RunPlan.Time time = plan.time();
    Duration least = Duration.ofSeconds(time.seconds());
    lines.add(
        line(
            "time",
            "at least %d:%02d:%02d: %.3g TFLOP a token%s at %.3g TFLOP/s, %s",
            least.toHours(),
            least.toMinutesPart(),
            least.toSecondsPart(),
            time.flopsPerToken() / 1e12,
            time.flopsPerTile() == 0
                ? ""
                : String.format(Locale.ROOT, " and %.3g a tile", time.flopsPerTile() / 1e12),
            time.flopsPerSecond() / 1e12,
            time.measured() ? "as large matrix products were measured here" : "as --flops says"));
    lines.add(
        line("", "(products of the frozen weights alone; attention, evaluations and checkpoints"));
    lines.add(line("", "come on top, and small products are slower than large ones)"));
  }
}
