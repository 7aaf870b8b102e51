package dev.finetune.trainer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.schema.FineTuneJobSchema;
import dev.finetune.api.schema.InvalidRecipeException;
import dev.finetune.api.v1alpha1.Recipe;
import java.util.Map;

/** Recipes for tests: the defaults of LoRA, and what a test sets. */
public final class RecipeFixture {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RecipeFixture() {}

  /**
   * A recipe.
   *
   * @param settings values by the field's path, such as training.epochs; without one of a method it
   *     is lora
   */
  public static Recipe of(Map<String, ?> settings) {
    ObjectNode tree = JSON.createObjectNode();
    set(tree, "model.source", "file:///model");
    set(tree, "output.destination", "file:///out");
    set(tree, "training.learningRate", 1e-4);
    tree.withObject("/dataset").putArray("train").addObject().put("source", "file:///rows.jsonl");
    settings.forEach((path, value) -> set(tree, path, value));
    if (!tree.has("method")) {
      tree.withObject("/method/lora");
    }
    try {
      return FineTuneJobSchema.load().readRecipe(tree);
    } catch (InvalidRecipeException e) {
      throw new IllegalArgumentException(e.violations().toString(), e);
    }
  }

  private static void set(ObjectNode tree, String path, Object value) {
    int end = path.lastIndexOf('.');
    tree.withObject("/" + path.substring(0, end).replace('.', '/'))
        .set(path.substring(end + 1), JSON.valueToTree(value));
  }
}
