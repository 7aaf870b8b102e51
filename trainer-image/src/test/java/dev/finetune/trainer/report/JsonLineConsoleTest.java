package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonLineConsoleTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final ProgressTracker tracker = new ProgressTracker(() -> 0);
  private final LastLines lastLines = new LastLines();
  private final RunListener run =
      new Listeners(
          List.of(
              tracker,
              new JsonLineConsole(
                  new PrintStream(printed, true, StandardCharsets.UTF_8),
                  tracker::progress,
                  lastLines)));

  @Test
  void everyEventIsOneJsonLine() throws IOException {
    Checkpoint checkpoint = new Checkpoint(2, 0.5, "pvc://m/checkpoint-2", 10L, "ab", 1.5);
    run.started(ProgressTrackerTest.fresh());
    run.stepTaken(new StepReport(2, 0.5, 1.75, 0.25, 0.5, 1e-4, 100));
    run.logged(new StepReport(2, 0.5, 1.75, 0.25, 0.5, 1e-4, 100));
    run.evaluated(new EvaluationReport(2, 0.5, 1.5, 0.75));
    run.saved(checkpoint, new Checkpoints(checkpoint, checkpoint, null));
    run.warned("disk\nfull");

    List<JsonNode> lines = lines();
    assertThat(lines).hasSize(4);
    assertThat(lastLines.text()).isEqualTo(printed.toString(StandardCharsets.UTF_8).strip());
    assertThat(lines.get(0).path("loss").asDouble()).isEqualTo(1.75);
    assertThat(lines.get(0).path("totalSteps").asInt()).isEqualTo(6);
    assertThat(lines.get(0).path("tokenAccuracy").asDouble()).isEqualTo(0.25);
    assertThat(lines.get(1).path("evalLoss").asDouble()).isEqualTo(1.5);
    assertThat(lines.get(1).path("evalPerplexity").asDouble()).isEqualTo(Math.exp(1.5));
    assertThat(lines.get(1).path("evalTokenAccuracy").asDouble()).isEqualTo(0.75);
    assertThat(lines.get(2).path("checkpoint").path("sha256").asText()).isEqualTo("ab");
    assertThat(lines.get(3).path("warning").asText()).isEqualTo("disk\nfull");
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : printed.toString(StandardCharsets.UTF_8).lines().toList()) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }
}
