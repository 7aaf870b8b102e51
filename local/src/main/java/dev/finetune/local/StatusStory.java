package dev.finetune.local;

import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.ParameterCounts;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Tells what changed in the status of one FineTuneJob since it was last looked at: a line for each
 * message, epoch and finding, and where training stands in between.
 */
final class StatusStory {
  private final String name;
  private final StoryConsole console;
  private FineTuneJobStatus told = FineTuneJobStatus.NONE;

  StatusStory(String name, StoryConsole console) {
    this.name = name;
    this.console = console;
  }

  void look(FineTuneJob job) {
    FineTuneJobStatus status = job.getStatus() == null ? FineTuneJobStatus.NONE : job.getStatus();
    if (status.dataset() != null && told.dataset() == null) {
      console.line(dataset(status.dataset()));
    }
    if (status.parameters() != null && told.parameters() == null) {
      console.line(parameters(status.parameters()));
    }
    list(status).stream().skip(list(told).size()).forEach(epoch -> console.line(epoch(epoch)));
    boolean moved =
        status.phase() != told.phase() || !Objects.equals(status.message(), told.message());
    if (moved && status.phase() != null) {
      console.line(
          "%-10s %s".formatted(status.phase().name().toLowerCase(Locale.ROOT), status.message()));
    }
    if (status.training() != null && !Objects.equals(status.training(), told.training())) {
      console.progress(name, status.training());
    }
    told = status;
  }

  private static List<EpochResult> list(FineTuneJobStatus status) {
    return status.epochs() == null ? List.of() : status.epochs();
  }

  private static String dataset(DatasetVerdict verdict) {
    return String.format(
        Locale.ROOT,
        "data       %d rows: %d to train on, %d held out, %d dropped; %,d tokens to learn an epoch",
        verdict.rows(),
        verdict.trainRows(),
        verdict.validationRows(),
        verdict.dropped(),
        verdict.supervisedTokens());
  }

  private static String parameters(ParameterCounts counts) {
    return String.format(
        Locale.ROOT,
        "model      %,d parameters, %,d of them trained (%.1f %%)",
        counts.total(),
        counts.trainable(),
        100.0 * counts.trainable() / counts.total());
  }

  private static String epoch(EpochResult result) {
    String evalLoss =
        result.evalLoss() == null
            ? ""
            : String.format(Locale.ROOT, "   eval loss %.4f", result.evalLoss());
    return String.format(
        Locale.ROOT,
        "epoch %-4d loss %.4f%s   step %d",
        result.epoch(),
        result.loss(),
        evalLoss,
        result.step());
  }
}
