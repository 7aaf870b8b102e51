package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import java.util.Optional;

/**
 * Progress in Prometheus' text exposition format 0.0.4. No metric has a label but the rank: the
 * pod's labels tell runs apart.
 */
final class PrometheusText {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private PrometheusText() {}

  static String of(Progress progress, Optional<RankSpeeds> ranks) {
    StringBuilder text = new StringBuilder();
    TrainingProgress training = progress.training();
    if (training != null) {
      gauge(text, "epochs", "Passes over the data so far.", training.epoch());
      gauge(text, "steps", "Optimizer steps done.", training.step());
      gauge(text, "planned_steps", "Optimizer steps in all.", training.totalSteps());
      gauge(
          text,
          "loss_nats",
          "Mean negative log-likelihood of a supervised token over the last logged steps.",
          training.loss());
      gauge(
          text,
          "validation_loss_nats",
          "Mean negative log-likelihood of a supervised token in the last evaluation.",
          training.evalLoss());
      gauge(
          text, "validation_perplexity", "exp of the validation loss.", training.evalPerplexity());
      gauge(
          text,
          "token_accuracy_ratio",
          "Share of the supervised tokens found most likely over the last logged steps.",
          training.tokenAccuracy());
      gauge(
          text,
          "validation_token_accuracy_ratio",
          "Share of the supervised tokens found most likely in the last evaluation.",
          training.evalTokenAccuracy());
      gauge(text, "learning_rate", "Learning rate of the last step.", training.learningRate());
      gauge(
          text,
          "gradient_norm",
          "Global L2 norm of the last gradient before clipping.",
          training.gradientNorm());
      gauge(
          text,
          "tokens_per_second",
          "Tokens trained on per second, padding not counted.",
          training.tokensPerSecond());
      gauge(
          text,
          "remaining_seconds",
          "Estimated time to the last step.",
          training.remainingSeconds());
    }
    ranks.ifPresent(speeds -> speeds(text, speeds));
    if (progress.checkpoints() != null && progress.checkpoints().latest() != null) {
      gauge(
          text,
          "latest_checkpoint_steps",
          "Optimizer steps that the newest checkpoint contains.",
          progress.checkpoints().latest().step());
      gauge(
          text,
          "latest_checkpoint_bytes",
          "Size of the newest checkpoint.",
          progress.checkpoints().latest().sizeBytes());
    }
    if (progress.parameters() != null) {
      gauge(
          text,
          "trainable_parameters",
          "Numbers that training changes.",
          progress.parameters().trainable());
    }
    return text.toString();
  }

  private static void speeds(StringBuilder text, RankSpeeds speeds) {
    String name =
        head(
            text,
            "rank_tokens_per_second",
            "Tokens per second of each rank while it computes, waiting for others not counted.");
    for (int rank = 0; rank < speeds.tokensPerSecond().length; rank++) {
      text.append(name).append("{rank=\"").append(rank).append("\"} ");
      text.append(Rounding.digits(speeds.tokensPerSecond()[rank], 4)).append('\n');
    }
  }

  private static void gauge(StringBuilder text, String name, String help, Number value) {
    if (value == null) {
      return;
    }
    text.append(head(text, name, help)).append(' ').append(value).append('\n');
  }

  /** Describes a gauge, and returns its full name. */
  private static String head(StringBuilder text, String name, String help) {
    String full = "finetune_training_" + name;
    text.append("# HELP ").append(full).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(full).append(" gauge\n");
    return full;
  }
}
