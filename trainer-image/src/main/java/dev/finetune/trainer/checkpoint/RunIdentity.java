package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a run learns, from what and on top of what. Two attempts with the same identity are one run;
 * a checkpoint of another identity is never gone on from.
 *
 * <p>These settings are not part of it, so they may change between attempts: output.destination,
 * training.loggingSteps, training.evalSteps, training.saveSteps, training.keepCheckpoints,
 * training.earlyStoppingPatience, training.onNonFiniteLoss and the validation's scores; and
 * training.batchSize, training.gradientAccumulationSteps and the number of ranks as long as their
 * product stays the same. None of them changes what a step computes, but for rounding and dropout's
 * masks. The programs' versions are noted and not compared.
 *
 * @param recipe the resolved recipe without the settings above
 * @param rowsPerStep batchSize x gradientAccumulationSteps x ranks: with another number a step
 *     would see other rows
 * @param dataSha256 hash of the tokenised training and validation rows in their order
 * @param modelSha256 fingerprint of the base model's files
 * @param startDate the first attempt's date, such as 2026-11-25: chat templates may write today's,
 *     and a run that goes on past midnight must see the rows that it began with
 * @param versions versions of the trainer and its engine, by name
 */
public record RunIdentity(
    ObjectNode recipe,
    int rowsPerStep,
    String dataSha256,
    String modelSha256,
    String startDate,
    Map<String, String> versions) {

  private static final Set<String> CHANGEABLE =
      Set.of(
          "loggingSteps",
          "evalSteps",
          "saveSteps",
          "keepCheckpoints",
          "earlyStoppingPatience",
          "onNonFiniteLoss",
          "batchSize",
          "gradientAccumulationSteps");

  private static final Set<String> CHANGEABLE_OF_VALIDATION =
      Set.of("scores", "scoredRows", "answerTokens");

  /**
   * Leaves out the settings that may change.
   *
   * @param recipe the whole resolved recipe as a tree
   */
  public static RunIdentity of(
      ObjectNode recipe,
      int rowsPerStep,
      String dataSha256,
      String modelSha256,
      String startDate,
      Map<String, String> versions) {
    ObjectNode fixed = recipe.deepCopy();
    fixed.remove("output");
    if (fixed.get("training") instanceof ObjectNode training) {
      training.remove(CHANGEABLE);
    }
    if (fixed.path("dataset").get("validation") instanceof ObjectNode validation) {
      validation.remove(CHANGEABLE_OF_VALIDATION);
    }
    return new RunIdentity(fixed, rowsPerStep, dataSha256, modelSha256, startDate, versions);
  }

  /** What differs, one phrase each: the setting, its value here and there. */
  public List<String> differencesFrom(RunIdentity other) {
    List<String> differences = new ArrayList<>();
    compare("", recipe, other.recipe, differences);
    if (rowsPerStep != other.rowsPerStep) {
      differences.add(
          "a step takes %d rows (batchSize x gradientAccumulationSteps x ranks), and took %d"
              .formatted(rowsPerStep, other.rowsPerStep));
    }
    if (!Objects.equals(dataSha256, other.dataSha256)) {
      differences.add("the training or validation rows differ");
    }
    if (!Objects.equals(modelSha256, other.modelSha256)) {
      differences.add("the base model's files differ");
    }
    return differences;
  }

  private static void compare(
      String path, JsonNode here, JsonNode there, List<String> differences) {
    if (here != null && here.isObject() && there != null && there.isObject()) {
      Set<String> names = new TreeSet<>();
      here.fieldNames().forEachRemaining(names::add);
      there.fieldNames().forEachRemaining(names::add);
      for (String name : names) {
        String child = path.isEmpty() ? name : path + "." + name;
        compare(child, here.get(name), there.get(name), differences);
      }
    } else if (!sameValue(here, there)) {
      differences.add("%s is %s, and was %s".formatted(path, shown(here), shown(there)));
    }
  }

  /** Numbers are compared by value: 1 and 1.0 are one setting, however they were written. */
  private static boolean sameValue(JsonNode here, JsonNode there) {
    if (here != null && there != null && here.isNumber() && there.isNumber()) {
      return here.decimalValue().compareTo(there.decimalValue()) == 0;
    }
    return Objects.equals(here, there);
  }

  private static String shown(JsonNode value) {
    return value == null ? "not set" : value.toString();
  }
}
