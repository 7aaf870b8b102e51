package dev.finetune.operator.validate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.TestConfig;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FineTuneJobValidatorTest {
  private static final String RECIPE =
      """
      model: {source: pvc://models/tiny}
          dataset:
            train: [{source: pvc://data/train.jsonl}]
          method: {lora: {}}
          output: {destination: pvc://results/out}
      """;

  @Test
  void aGoodJobHasNoViolation() {
    assertThat(validate(job("tune", RECIPE, ""))).isEmpty();
  }

  @Test
  void allViolationsAreFoundAtOnce() {
    var job =
        job(
            "a.b",
            """
            model: {source: "file:///models/tiny"}
                dataset:
                  train: [{source: "file:///a.json"}, {source: "s3://bucket/b.json"}]
                  validation: {fraction: 0}
                  imageFolder: "file:///images"
                method: {lora: {targetModules: [all-linear, q_proj]}}
                training: {evalSteps: 5, earlyStoppingPatience: 3}
                output: {destination: "file:///models/tiny/"}
            """,
            """
            resources: {cpu: "0", memory: 1Gi, sharedMemory: 2Gi}
              pod:
                env:
                  - {name: FINETUNE_LISTEN, value: x}
                  - {name: A, value: x}
                  - {name: A, value: y}
                  - {name: B}
                  - {name: C, value: x, secretKeyRef: {name: s, key: k}}
            """);

    assertThat(validate(job))
        .extracting(Violation::field)
        .containsExactly(
            "metadata.name",
            "spec.recipe.model.source",
            "spec.recipe.dataset.train[0].source",
            "spec.recipe.dataset.train[1].source",
            "spec.recipe.dataset.imageFolder",
            "spec.recipe.output.destination",
            "spec.recipe.output.destination",
            "spec.recipe.method.lora.targetModules",
            "spec.recipe.training.evalSteps",
            "spec.recipe.training.earlyStoppingPatience",
            "spec.resources.cpu",
            "spec.resources.sharedMemory",
            "spec.pod.env[0].name",
            "spec.pod.env[2].name",
            "spec.pod.env[3]",
            "spec.pod.env[4]");
  }

  @Test
  void aFileSourceIsAcceptedWhereTheClusterIsOneMachine() {
    var job = job("tune", RECIPE.replace("pvc://models/", "file:///models/"), "");

    assertThat(validate(job))
        .singleElement()
        .asString()
        .contains("spec.recipe.model.source: 'file:///models/tiny'")
        .contains("pvc://CLAIM/PATH");
    assertThat(
            FineTuneJobValidator.validate(
                job, TestConfig.with(Map.of("finetune.allow-file-sources", "true"))))
        .isEmpty();
  }

  @Test
  void aFolderOfPicturesIsASourceLikeTheOthers() {
    assertThat(validate(job("tune", withPictures("pvc://pictures/photos"), ""))).isEmpty();
    assertThat(validate(job("tune", withPictures("pvc://data/../models"), "")))
        .singleElement()
        .asString()
        .contains("spec.recipe.dataset.imageFolder: 'pvc://data/../models' leaves its folder");

    var file = job("tune", withPictures("file:///photos"), "");
    assertThat(validate(file))
        .singleElement()
        .asString()
        .contains("spec.recipe.dataset.imageFolder: 'file:///photos' is a path of one machine");
    assertThat(
            FineTuneJobValidator.validate(
                file, TestConfig.with(Map.of("finetune.allow-file-sources", "true"))))
        .isEmpty();
  }

  private static String withPictures(String folder) {
    return RECIPE.replace("dataset:", "dataset:\n      imageFolder: \"" + folder + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "resources: {}", "pod: {}", "retry: {}"})
  void partsThatNoDefaultFilledAreNoViolation(String spec) {
    assertThat(validate(job("tune", RECIPE, spec))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lora: {targetModules: [all-linear, q_proj]} | | method.lora.targetModules",
        "ia3: {targetModules: [all-linear, q_proj]} | | method.ia3.targetModules",
        "promptTuning: {} | training: {packing: true} | training.packing",
        "prefixTuning: {} | training: {packing: true} | training.packing"
      })
  void settingsThatNoMethodCanTakeAreNamed(String method, String training, String field) {
    String recipe =
        """
        model: {source: "pvc://models/tiny"}
            dataset: {train: [{source: "pvc://data/a.json"}]}
            method: {%s}
            %s
            output: {destination: "pvc://models/out"}
        """
            .formatted(method, training == null ? "" : training);

    assertThat(validate(job("tune", recipe, "")))
        .extracting(Violation::field)
        .containsExactly("spec.recipe." + field);
  }

  @Test
  void embeddingAndHeadMayStandBesideAllLinear() {
    String recipe =
        """
        model: {source: "pvc://models/tiny"}
            dataset: {train: [{source: "pvc://data/a.json"}]}
            method: {lora: {targetModules: [all-linear, embed_tokens, lm_head]}}
            output: {destination: "pvc://models/out"}
        """;

    assertThat(validate(job("tune", recipe, ""))).isEmpty();
  }

  @Test
  void aSpecWithoutARecipeSaysSo() {
    FineTuneJob job = job("tune", RECIPE, "");
    job.setSpec(null);

    assertThat(validate(job)).extracting(Violation::field).containsExactly("spec.recipe");
  }

  @Test
  void aRecipeWithoutPartsNamesEach() {
    assertThat(validate(job("tune", "{}", "")))
        .extracting(Violation::field)
        .containsExactly(
            "spec.recipe.model.source",
            "spec.recipe.dataset.train",
            "spec.recipe.output.destination",
            "spec.recipe.method");
  }

  @ParameterizedTest
  @CsvSource({"abc", "-1", "1Xi"})
  void anAmountThatIsNoneIsNamed(String memory) {
    assertThat(validate(job("tune", RECIPE, "resources: {memory: \"" + memory + "\"}")))
        .singleElement()
        .asString()
        .contains("spec.resources.memory")
        .contains(memory);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nodes: 2, parallelism: Layers | spec.resources.nodes",
        "gpusPerNode: 1, deviceMaxMemory: [15GB] | spec.resources.deviceMaxMemory",
        "gpusPerNode: 4, parallelism: Layers, deviceMaxMemory: [15GB] |"
            + " spec.resources.deviceMaxMemory",
      })
  void whatTheGpusCannotShareIsNamed(String resources, String field) {
    assertThat(validate(job("tune", RECIPE, "resources: {" + resources + "}")))
        .extracting(Violation::field)
        .containsExactly(field);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nodes: 2, gpusPerNode: 4",
        "nodes: 1, gpusPerNode: 2, parallelism: Layers",
        "gpusPerNode: 2, parallelism: Layers, deviceMaxMemory: [15GB, 14Gi]"
      })
  void whatTheGpusCanShareIsFine(String resources) {
    assertThat(validate(job("tune", RECIPE, "resources: {" + resources + "}"))).isEmpty();
  }

  @Test
  void aPathMayNotLeaveItsClaim() {
    assertThat(validate(job("tune", RECIPE.replace("models/tiny", "models/../data"), "")))
        .extracting(Violation::field)
        .containsExactly("spec.recipe.model.source");
  }

  @Test
  void aNameThatCannotBeAHostNameIsNamed() {
    assertThat(validate(job("x".repeat(53), RECIPE, ""))).hasSize(1);
    assertThat(validate(job("x".repeat(52), RECIPE, ""))).isEmpty();
  }

  private static List<Violation> validate(FineTuneJob job) {
    return FineTuneJobValidator.validate(job, TestConfig.defaults());
  }

  private static FineTuneJob job(String name, String recipe, String spec) {
    return Jobs.parse(
        """
        metadata: {name: %s}
        spec:
          recipe:
            %s
          %s
        """
            .formatted(name, recipe.strip(), spec.strip()));
  }
}
