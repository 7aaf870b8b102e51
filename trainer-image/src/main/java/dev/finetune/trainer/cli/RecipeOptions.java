package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.ArrayList;
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

  private static final String COLUMNS = "--columns";
  private static final String METHOD_NAME = MethodFlags.METHOD.names().get(0);

  private RecipeOptions() {}

  /** Adds a picocli option for each flag; its help is the recipe field's own description. */
  static void addTo(CommandSpec command) {
    command.addOption(option(MethodFlags.METHOD));
    RecipeFlags.ALL.forEach(flag -> command.addOption(option(flag)));
    command.addOption(
        OptionSpec.builder(COLUMNS)
            .arity("1")
            .paramLabel("JSON")
            .description(
                "Columns of the files under other names, such as '{\"question\": \"query\"}'.",
                "(dataset.train[].columns, the other way round)")
            .build());
    command.addOption(
        OptionSpec.builder(RegisteredDatasets.FLAG)
            .arity("1")
            .type(Path.class)
            .paramLabel("FILE")
            .description(
                "Data sets by name, as YAML or JSON, which --dataset and --val_dataset can name:"
                    + " NAME or NAME#N. ms-swift's dataset_info.json is read too.")
            .build());
    NotedFlags.ALL.forEach(flag -> command.addOption(option(flag)));
  }

  private static OptionSpec option(RecipeFlag flag) {
    // A description is a format string to picocli.
    String description = RecipeFieldDescriptions.of(flag.path()).replace("%", "%%");
    OptionSpec.Builder option =
        OptionSpec.builder(flag.names().toArray(String[]::new))
            .arity(flag.arity())
            .fallbackValue("true")
            .paramLabel("VALUE")
            .description(description, "(" + flag.path() + ")");
    // A flag with one value can't be given twice.
    return (flag.takesMany() ? option.type(List.class).auxiliaryTypes(String.class) : option)
        .build();
  }

  /** Those that change nothing stay out of the help. */
  private static OptionSpec option(NotedFlag flag) {
    return OptionSpec.builder(flag.names().toArray(String[]::new))
        .arity("0..*")
        .fallbackValue("true")
        .type(List.class)
        .auxiliaryTypes(String.class)
        .hidden(true)
        .build();
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
   * @throws TrainerException USAGE if it isn't valid, naming each field and the flag that set it
   */
  static ResolvedRecipe recipe(ParseResult parsed, Path recipeFile) {
    ObjectNode tree =
        recipeFile == null
            ? JsonNodeFactory.instance.objectNode()
            : ResolvedRecipe.readTree(recipeFile);
    NotedFlags.ALL.forEach(flag -> flag.check(values(flag, parsed)));
    String method =
        MethodFlags.choose(
            tree, Optional.ofNullable(parsed.matchedOptionValue(METHOD_NAME, (String) null)));
    Optional<RegisteredDatasets> registered =
        Optional.ofNullable(parsed.matchedOptionValue(RegisteredDatasets.FLAG, (Path) null))
            .map(RegisteredDatasets::read);
    Map<String, String> flagsByField = new LinkedHashMap<>();
    for (RecipeFlag each : RecipeFlags.ALL) {
      if (parsed.hasMatchedOption(each.names().get(0))) {
        RecipeFlag flag = MethodFlags.forMethod(each, method);
        if (registered.isPresent() && flag.namesDatasets()) {
          flag.set(tree, registered.get().sources(values(flag, parsed)));
        } else {
          flag.set(tree, values(flag, parsed));
        }
        flagsByField.put("recipe." + flag.path(), asGiven(flag.names(), parsed.originalArgs()));
      } else if (recipeFile == null) {
        flagsByField.putIfAbsent("recipe." + each.path(), each.names().get(0));
      }
    }
    rename(tree, parsed);
    if (CONSTANT.equals(parsed.matchedOptionValue("--lr_scheduler_type", ""))
        && !parsed.hasMatchedOption("--warmup_ratio")) {
      ((ObjectNode) tree.get("training")).put("warmupRatio", 0);
    }
    return ResolvedRecipe.of(tree, path -> named(path, flagsByField));
  }

  private static void rename(ObjectNode tree, ParseResult parsed) {
    String columns = parsed.matchedOptionValue(COLUMNS, (String) null);
    if (columns != null) {
      for (String path : List.of("/dataset/train", "/dataset/validation/sources")) {
        tree.at(path)
            .forEach(source -> ((ObjectNode) source).set("columns", FlagValues.columns(columns)));
      }
    }
  }

  /** What the given flags mean here, where ms-swift means something else by them; a line each. */
  static List<String> notes(ParseResult parsed) {
    List<String> notes = new ArrayList<>();
    for (RecipeFlag flag : RecipeFlags.ALL) {
      if (parsed.hasMatchedOption(flag.names().get(0))) {
        List<String> values = values(flag, parsed);
        flag.note()
            .apply(values)
            .ifPresent(note -> notes.add(note(flag.names(), values, parsed, note)));
      }
    }
    for (NotedFlag flag : NotedFlags.ALL) {
      if (parsed.hasMatchedOption(flag.names().get(0))) {
        notes.add(note(flag.names(), values(flag, parsed), parsed, flag.note()));
      }
    }
    return notes;
  }

  private static String note(
      List<String> names, List<String> values, ParseResult parsed, String note) {
    return asGiven(names, parsed.originalArgs()) + " " + String.join(" ", values) + ": " + note;
  }

  private static List<String> values(NotedFlag flag, ParseResult parsed) {
    return parsed.matchedOptionValue(flag.names().get(0), List.of());
  }

  private static List<String> values(RecipeFlag flag, ParseResult parsed) {
    String name = flag.names().get(0);
    return flag.takesMany()
        ? parsed.matchedOptionValue(name, List.of())
        : List.of(parsed.matchedOptionValue(name, ""));
  }

  private static String asGiven(List<String> names, List<String> arguments) {
    return names.stream()
        .filter(
            name -> arguments.stream().anyMatch(a -> a.equals(name) || a.startsWith(name + "=")))
        .findFirst()
        .orElse(names.get(0));
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
