package dev.finetune.trainer.report.plot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.trainer.report.RunListener;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A run's plots in its destination's images/, drawn again at the end of each epoch and of the run.
 * They show what logging.jsonl has, so each step of this run once, and none of another run.
 */
public final class RunPlots implements RunListener, Closeable {
  /** Its folder in the destination. */
  public static final String FOLDER = "images";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** What is plotted: the log's field by the file's name. */
  private static final Map<String, String> FIELDS = fields();

  /** Losses of single steps jump; the others are read as they are. */
  private static final String SMOOTHED = "train_loss";

  private final Path log;
  private final Path folder;
  private final Consumer<String> warnings;

  /**
   * Plots a log.
   *
   * @param log the run's logging.jsonl
   * @param folder where the plots go; made where it isn't there
   * @param warnings hears when they can't be written
   */
  public RunPlots(Path log, Path folder, Consumer<String> warnings) {
    this.log = log;
    this.folder = folder;
    this.warnings = warnings;
  }

  private static Map<String, String> fields() {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put(SMOOTHED, "loss");
    fields.put("train_token_accuracy", "tokenAccuracy");
    fields.put("train_grad_norm", "gradientNorm");
    fields.put("train_learning_rate", "learningRate");
    fields.put("eval_loss", "evalLoss");
    fields.put("eval_token_accuracy", "evalTokenAccuracy");
    return fields;
  }

  @Override
  public void epochEnded(EpochResult result) {
    draw();
  }

  /** The last plot, also of a run that was stopped. */
  @Override
  public void close() {
    draw();
  }

  private void draw() {
    try {
      Files.createDirectories(folder);
      List<JsonNode> lines = lines();
      for (Map.Entry<String, String> field : FIELDS.entrySet()) {
        draw(field.getKey(), samples(lines, field.getValue()));
      }
    } catch (IOException e) {
      warnings.accept("the plots in " + folder + " can't be written: " + e.getMessage());
    }
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(log)) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  private static List<LinePlot.Sample> samples(List<JsonNode> lines, String field) {
    return lines.stream()
        .filter(line -> line.path(field).isNumber())
        .map(line -> new LinePlot.Sample(line.path("step").asInt(), line.path(field).asDouble()))
        .filter(sample -> Double.isFinite(sample.value()))
        .toList();
  }

  /** Whole or not at all; one of a run before this one doesn't stay. */
  private void draw(String name, List<LinePlot.Sample> samples) throws IOException {
    Path file = folder.resolve(name + ".png");
    if (samples.isEmpty()) {
      Files.deleteIfExists(file);
      return;
    }
    String title = name.replaceFirst("_", "/");
    byte[] png = Png.of(LinePlot.of(title, samples, name.equals(SMOOTHED)));
    Path temporary = folder.resolve("." + name + ".writing");
    Files.write(temporary, png);
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
