package dev.finetune.api.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.Schedule;
import org.junit.jupiter.api.Test;

class FineTuneJobSchemaTest {
  private static final String SMALLEST_RECIPE =
      """
      model: {source: pvc://models/m}
      dataset: {train: [{source: pvc://data/a.json}]}
      method: {lora: {}}
      output: {destination: pvc://results/m}
      """;

  private final FineTuneJobSchema schema = FineTuneJobSchema.load();

  @Test
  void fillsInTheDefaultsOfEveryLevel() {
    Recipe recipe = schema.readRecipe(yaml(SMALLEST_RECIPE));

    assertThat(recipe.model().template()).isEqualTo(ChatTemplateName.AUTO);
    assertThat(recipe.method().lora().rank()).isEqualTo(16);
    assertThat(recipe.method().lora().alpha()).isEqualTo(32.0);
    assertThat(recipe.method().lora().targetModules()).containsExactly("all-linear");
    assertThat(recipe.method().lora().variant()).isEqualTo(LoraVariant.STANDARD);
    assertThat(recipe.dataset().validation().fraction()).isEqualTo(0.01);
    assertThat(recipe.training().adamEpsilon()).isEqualTo(1e-8);
    assertThat(recipe.training().schedule()).isEqualTo(Schedule.COSINE);
    assertThat(recipe.training().overlong()).isEqualTo(Overlong.DROP);
    assertThat(recipe.training().maxSteps()).isNull();
  }

  @Test
  void aPodTemplateMayHoldAnythingAsTheApiServerJudgesIt() {
    JsonNode job =
        yaml(
            """
            spec:
              recipe:
                model: {source: pvc://models/m}
                dataset: {train: [{source: pvc://data/a.json}]}
                method: {lora: {}}
                output: {destination: pvc://results/m}
              pod:
                template: {spec: {affinity: {x: 1}, enableServiceLinks: null}}
            """);

    assertThat(schema.check(job)).isEmpty();
    assertThat(schema.withDefaults(job).at("/spec/pod/template"))
        .as("null means to remove a field")
        .isEqualTo(job.at("/spec/pod/template"));
  }

  @Test
  void keepsWhatIsThere() {
    Recipe recipe =
        schema.readRecipe(yaml(SMALLEST_RECIPE + "training: {epochs: 7, schedule: null}\n"));

    assertThat(recipe.training().epochs()).isEqualTo(7);
    assertThat(recipe.training().schedule()).isEqualTo(Schedule.COSINE);
    assertThat(recipe.training().warmupRatio()).isEqualTo(0.05);
  }

  @Test
  void takesAnExponentWithoutADotForANumberAsKubectlDoes() {
    Recipe recipe =
        schema.readRecipe(
            yaml(SMALLEST_RECIPE + "training: {learningRate: 2e-4, adamEpsilon: 1E-7}\n"));

    assertThat(recipe.training().learningRate()).isEqualTo(2e-4);
    assertThat(recipe.training().adamEpsilon()).isEqualTo(1e-7);
  }

  @Test
  void listsEveryViolationWithItsPathAndWhatIsAllowed() {
    JsonNode recipe =
        yaml(
            """
            model: {source: models/m, tempalte: Auto}
            dataset: {train: []}
            method: {lora: {rank: 1.5, dropout: 1, variant: Dora}}
            training: {epochs: 0, learningRate: 0, shuffle: true}
            """);

    assertThat(schema.checkRecipe(recipe))
        .extracting(SchemaViolation::toString)
        .satisfiesExactlyInAnyOrder(
            each -> assertThat(each).isEqualTo("recipe.output: is required"),
            each -> assertThat(each).startsWith("recipe.model.source: \"models/m\" doesn't have"),
            each ->
                assertThat(each)
                    .isEqualTo("recipe.model.tempalte: unknown field; did you mean template?"),
            each -> assertThat(each).isEqualTo("recipe.dataset.train: 0 items are fewer than 1"),
            each ->
                assertThat(each).isEqualTo("recipe.method.lora.rank: must be an integer, not 1.5"),
            each -> assertThat(each).isEqualTo("recipe.method.lora.dropout: 1 is not less than 1"),
            each ->
                assertThat(each).startsWith("recipe.method.lora.variant: \"Dora\" is not one of "),
            each -> assertThat(each).isEqualTo("recipe.training.epochs: 0 is less than 1"),
            each ->
                assertThat(each).isEqualTo("recipe.training.learningRate: 0 is not greater than 0"),
            each ->
                assertThat(each)
                    .startsWith("recipe.training.shuffle: unknown field; known are adamBeta1"));
  }

  @Test
  void refusesToBindARecipeThatBreaksTheSchema() {
    assertThatThrownBy(() -> schema.readRecipe(yaml("model: {source: pvc://m/x}")))
        .isInstanceOf(InvalidRecipeException.class)
        .hasMessage(
            """
            recipe.dataset: is required
            recipe.method: is required
            recipe.output: is required""");
  }

  @Test
  void checksAndCompletesAWholeJob() {
    JsonNode job = yaml("spec: {resources: {gpusPerNode: 17}, pod: {env: [{value: x}]}}");

    assertThat(schema.check(job))
        .extracting(SchemaViolation::toString)
        .containsExactlyInAnyOrder(
            "spec.recipe: is required",
            "spec.resources.gpusPerNode: 17 is greater than 16",
            "spec.pod.env[0].name: is required");
    assertThat(schema.withDefaults(job).at("/spec/resources/memory").asText()).isEqualTo("16Gi");
    assertThat(schema.withDefaults(job).at("/spec/retry/maxRestarts").asInt()).isEqualTo(3);
    assertThat(job.at("/spec/retry").isMissingNode()).isTrue();
  }

  @Test
  void anAmountOfDeviceMemoryIsWrittenAsMsSwiftOrAsKubernetesWritesIt() {
    JsonNode job =
        yaml("spec: {recipe: {}, resources: {deviceMaxMemory: [15GB, 14Gi, 0.5T, 15, most]}}");

    assertThat(schema.check(job))
        .extracting(SchemaViolation::path)
        .filteredOn(path -> path.startsWith("spec.resources"))
        .containsExactly(
            "spec.resources.deviceMaxMemory[2]",
            "spec.resources.deviceMaxMemory[3]",
            "spec.resources.deviceMaxMemory[4]");
  }

  private static JsonNode yaml(String text) {
    try {
      return new YAMLMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
