package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A flag of the command line that sets a field of the recipe.
 *
 * @param names ms-swift's names of it, the 3.x name first
 * @param path the recipe's field, such as training.epochs
 * @param arity how many values it takes, in picocli's form
 * @param value its values as the field's value; null leaves the field alone
 * @param note what a value means here where ms-swift means something else by it
 */
record RecipeFlag(
    List<String> names,
    String path,
    String arity,
    Function<List<String>, JsonNode> value,
    Function<List<String>, Optional<String>> note) {

  RecipeFlag {
    names = List.copyOf(names);
  }

  /** A flag with one value. */
  static RecipeFlag one(String path, Function<String, JsonNode> value, String... names) {
    return new RecipeFlag(
        List.of(names), path, "1", values -> value.apply(values.get(0)), RecipeFlag::nothing);
  }

  /** A flag that is true where it stands alone. */
  static RecipeFlag onOff(String path, Function<String, JsonNode> value, String... names) {
    return new RecipeFlag(
        List.of(names), path, "0..1", values -> value.apply(values.get(0)), RecipeFlag::nothing);
  }

  /** A flag with one value or more. */
  static RecipeFlag many(String path, Function<List<String>, JsonNode> value, String... names) {
    return new RecipeFlag(List.of(names), path, "1..*", value, RecipeFlag::nothing);
  }

  private static Optional<String> nothing(List<String> values) {
    return Optional.empty();
  }

  /** The same flag, of which a run says at its start what a value means here. */
  RecipeFlag noting(Function<List<String>, Optional<String>> what) {
    return new RecipeFlag(names, path, arity, value, what);
  }

  /** Whether it takes more than one value. */
  boolean takesMany() {
    return arity.endsWith("*");
  }

  /** Whether its values are data sets, which may be registered by name. */
  boolean namesDatasets() {
    return path.equals("dataset.train") || path.equals("dataset.validation.sources");
  }

  /** Sets the recipe's field, with the objects around it. */
  void set(ObjectNode recipe, List<String> values) {
    set(recipe, value.apply(values));
  }

  /** Sets the recipe's field to a value; null leaves it alone. */
  void set(ObjectNode recipe, JsonNode node) {
    if (node != null) {
      int end = path.lastIndexOf('.');
      recipe
          .withObject("/" + path.substring(0, end).replace('.', '/'))
          .set(path.substring(end + 1), node);
    }
  }

  /** The same flag for another field. */
  RecipeFlag at(String other) {
    return new RecipeFlag(names, other, arity, value, note);
  }

  /** An array of each value on its own. */
  static Function<List<String>, JsonNode> each(Function<String, JsonNode> value) {
    return values -> {
      var array = JsonNodeFactory.instance.arrayNode();
      values.forEach(text -> array.add(value.apply(text)));
      return array;
    };
  }
}
