package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The flags of {@code sft} and {@code plan} that build a recipe. */
final class RecipeOptions {
  /** transformers' constant schedule knows no warm-up; its constant_with_warmup does. */
  private static final String CONSTANT = "constant";

  private RecipeOptions() {}

  /** Adds a picocli option for each flag; its help is the recipe field's own description. */
  static void addTo(CommandSpec command) {
    for (RecipeFlag flag : RecipeFlags.ALL) {
      // A description is a format string to picocli.
      String description = RecipeFieldDescriptions.of(flag.path()).replace("%", "%%");
      OptionSpec.Builder option =
          OptionSpec.builder(flag.names().toArray(String[]::new))
              .arity(flag.arity())
              .fallbackValue("true")
              .paramLabel("VALUE")
              .description(description, "(" + flag.path() + ")");
      // A flag with one value can't be given twice.
      command.addOption(
          (flag.takesMany() ? option.type(List.class).auxiliaryTypes(String.class) : option)
              .build());
    }
  }

  /** The arguments in ms-swift's spelling: --lora-rank is --lora_rank. */
  static String[] spelled(String[] arguments) {
    return Arrays.stream(arguments).map(RecipeOptions::spelled).toArray(String[]::new);
  }

  private static String spelled(String argument) {
    if (!argument.startsWith("--")) {
      return argument;
    }
    int equals = argument.indexOf('=');
    int end = equals < 0 ? argument.length() : equals;
    return "--" + argument.substring(2, end).replace('-', '_') + argument.substring(end);
  }

  /**
   * The recipe file, if one is given, with the flags laid over it.
   *
   * @param registered the data sets that --dataset can name
   * @throws TrainerException USAGE if it isn't valid, naming each field and the flag that set it
   */
  static ResolvedRecipe recipe(
      ParseResult parsed, Path recipeFile, Optional<RegisteredDatasets> registered) {
    ObjectNode tree =
        recipeFile == null
            ? JsonNodeFactory.instance.objectNode()
            : ResolvedRecipe.readTree(recipeFile);
    if (recipeFile == null) {
      // The one method that there is, so that no flag need name it.
      tree.putObject("method").putObject("lora");
    }
    Map<String, String> flagsByField = new LinkedHashMap<>();
    for (RecipeFlag flag : RecipeFlags.ALL) {
      if (parsed.hasMatchedOption(flag.names().get(0))) {
        List<String> values = values(flag, parsed);
        if (registered.isPresent() && flag.namesDatasets()) {
          flag.set(tree, registered.get().sources(values));
        } else {
          flag.set(tree, values);
        }
        flagsByField.put("recipe." + flag.path(), asGiven(flag, parsed.originalArgs()));
      } else if (recipeFile == null) {
        flagsByField.put("recipe." + flag.path(), flag.names().get(0));
      }
    }
    if (CONSTANT.equals(parsed.matchedOptionValue("--lr_scheduler_type", ""))
        && !parsed.hasMatchedOption("--warmup_ratio")) {
      ((ObjectNode) tree.get("training")).put("warmupRatio", 0);
    }
    return ResolvedRecipe.of(tree, path -> named(path, flagsByField));
  }

  private static List<String> values(RecipeFlag flag, ParseResult parsed) {
    String name = flag.names().get(0);
    return flag.takesMany()
        ? parsed.matchedOptionValue(name, List.of())
        : List.of(parsed.matchedOptionValue(name, ""));
  }

  private static String asGiven(RecipeFlag flag, List<String> arguments) {
    return flag.names().stream()
        .filter(
            name -> arguments.stream().anyMatch(a -> a.equals(name) || a.startsWith(name + "=")))
        .findFirst()
        .orElse(flag.names().get(0));
  }

  /**
   * A field with the flag that set it, or that could: recipe.model is what --model sets a part of.
   */
  private static String named(String path, Map<String, String> flagsByField) {
    return flagsByField.entrySet().stream()
        .filter(each -> each.getKey().equals(path) || each.getKey().startsWith(path + "."))
        .map(each -> each.getValue() + " (" + path + ")")
        .findFirst()
        .orElse(path);
  }
}
