package dev.finetune.trainer.cli;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import dev.finetune.api.v1alpha1.Recipe;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/** The sentence that each field of the recipe is documented with, at its declaration. */
final class RecipeFieldDescriptions {
  private RecipeFieldDescriptions() {}

  /**
   * The description of a field.
   *
   * @param path such as training.epochs
   */
  static String of(String path) {
    Class<?> type = Recipe.class;
    String description = "";
    for (String name : path.split("\\.", -1)) {
      RecordComponent component = component(type, name);
      description = component.getAccessor().getAnnotation(JsonPropertyDescription.class).value();
      type = component.getType();
    }
    return description;
  }

  private static RecordComponent component(Class<?> type, String name) {
    return Arrays.stream(type.getRecordComponents())
        .filter(component -> component.getName().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(type + " has no field " + name));
  }
}
