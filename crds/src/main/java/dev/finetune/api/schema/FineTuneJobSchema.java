package dev.finetune.api.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.Recipe;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * The schema of FineTuneJob as the CRD on the class path has it. CEL rules are not evaluated: the
 * API server does that, and the operator's validator checks again what they guard.
 */
public final class FineTuneJobSchema {
  private static final String CRD = "/META-INF/fabric8/finetunejobs.finetune.dev-v1.yml";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final StructuralSchema spec;
  private final StructuralSchema recipe;

  private FineTuneJobSchema(JsonNode spec) {
    this.spec = new StructuralSchema(spec);
    this.recipe = new StructuralSchema(spec.at("/properties/recipe"));
  }

  /** Reads the schema of the CRD that this jar was built with. */
  public static FineTuneJobSchema load() {
    try (InputStream crd = FineTuneJobSchema.class.getResourceAsStream(CRD)) {
      if (crd == null) {
        throw new IllegalStateException(CRD + " is not on the class path");
      }
      JsonNode tree = new YAMLMapper().readTree(crd);
      return new FineTuneJobSchema(
          tree.at("/spec/versions/0/schema/openAPIV3Schema/properties/spec"));
    } catch (IOException e) {
      throw new UncheckedIOException(CRD, e);
    }
  }

  /** What the schema doesn't allow in the spec of a FineTuneJob; paths begin with {@code spec}. */
  public List<SchemaViolation> check(JsonNode job) {
    return spec.check(job.path("spec"), "spec");
  }

  /** A copy of a FineTuneJob with the defaults that the API server would fill in. */
  public JsonNode withDefaults(JsonNode job) {
    JsonNode copy = job.deepCopy();
    spec.fillIn(copy.path("spec"));
    return copy;
  }

  /** What the schema doesn't allow in a recipe; paths begin with {@code recipe}. */
  public List<SchemaViolation> checkRecipe(JsonNode recipe) {
    return this.recipe.check(recipe, "recipe");
  }

  /**
   * Binds a recipe, with its defaults.
   *
   * @throws InvalidRecipeException where it breaks the schema
   */
  public Recipe readRecipe(JsonNode recipe) {
    JsonNode copy = recipe.deepCopy();
    this.recipe.fillIn(copy);
    List<SchemaViolation> violations = checkRecipe(copy);
    if (!violations.isEmpty()) {
      throw new InvalidRecipeException(violations);
    }
    try {
      return JSON.treeToValue(copy, Recipe.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the schema allows what the recipe's type doesn't", e);
    }
  }
}
