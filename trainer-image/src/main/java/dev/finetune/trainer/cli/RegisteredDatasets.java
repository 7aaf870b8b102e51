package dev.finetune.trainer.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Data sets that a file gives names, so that --dataset can name them. Each is a source of the
 * recipe (path, format, columns, sample, weight), or an entry of ms-swift's dataset_info.json. The
 * recipe holds what they stand for, so it needs no such file itself.
 */
final class RegisteredDatasets {
  /** ms-swift's name of the flag that names the file. */
  static final String FLAG = "--custom_dataset_info";

  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

  private static final Pattern SAMPLED = Pattern.compile("(.+)#([0-9]+)");

  /** What an entry may say, besides where the file is. */
  private static final Set<String> SETTINGS = Set.of("format", "columns", "sample", "weight");

  /** ms-swift's: what they say changes nothing about a file. */
  private static final Set<String> IGNORED = Set.of("tags", "help", "huge_dataset");

  private static final String SWIFT_PATH = "dataset_path";

  private final Path file;
  private final Map<String, ObjectNode> sources = new TreeMap<>();

  private RegisteredDatasets(Path file) {
    this.file = file;
  }

  /**
   * Reads a file: a list of entries with their names (name, or ms-swift's dataset_name), or entries
   * by name.
   *
   * @throws TrainerException USAGE if it can't be read or an entry isn't understood
   */
  static RegisteredDatasets read(Path file) {
    RegisteredDatasets registered = new RegisteredDatasets(file);
    JsonNode tree;
    try {
      tree = YAML.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw registered.invalid("it is neither YAML nor JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw registered.invalid("it can't be read: " + FileErrors.describe(e), e);
    }
    if (tree.isArray()) {
      for (JsonNode entry : tree) {
        registered.add(registered.nameOf(entry), entry);
      }
    } else if (tree.isObject()) {
      tree.properties().forEach(entry -> registered.add(entry.getKey(), entry.getValue()));
    } else {
      throw registered.invalid("it must be a list of data sets, or data sets by name", null);
    }
    return registered;
  }

  private String nameOf(JsonNode entry) {
    String name = entry.path("name").asText(entry.path("dataset_name").asText(""));
    if (name.isEmpty()) {
      throw invalid("a data set of the list has no name: " + entry, null);
    }
    return name;
  }

  private void add(String name, JsonNode entry) {
    if (!(entry instanceof ObjectNode object)) {
      throw invalid(name + " must be a mapping with a path", null);
    }
    boolean swifts = object.has(SWIFT_PATH);
    String path = object.path(swifts ? SWIFT_PATH : "path").asText("");
    if (path.isEmpty()) {
      throw invalid(
          name
              + " has no path; data sets of a hub have to be downloaded before, and path to say where",
          null);
    }
    ObjectNode source = JsonNodeFactory.instance.objectNode();
    source.put("source", Locations.sourceOf(resolved(path)));
    object
        .properties()
        .forEach(
            setting -> {
              String key = setting.getKey();
              if (key.equals("columns") && swifts) {
                source.set(key, inverted(setting.getValue()));
              } else if (SETTINGS.contains(key)) {
                source.set(key, setting.getValue());
              } else if (!IGNORED.contains(key) && !names(key)) {
                throw invalid(
                    "%s: %s isn't known; known are path, %s"
                        .formatted(
                            name, key, String.join(", ", SETTINGS.stream().sorted().toList())),
                    null);
              }
            });
    if (sources.put(name, source) != null) {
      throw invalid("two data sets are named " + name, null);
    }
  }

  private static boolean names(String key) {
    return List.of("name", "dataset_name", "path", SWIFT_PATH).contains(key);
  }

  /** Paths are relative to the file; sources with a scheme stay. */
  private String resolved(String path) {
    return path.contains("://")
        ? path
        : file.toAbsolutePath().resolveSibling(path).normalize().toString();
  }

  /** ms-swift names the format's column by the file's, the recipe the file's by the format's. */
  private static ObjectNode inverted(JsonNode columns) {
    ObjectNode inverted = JsonNodeFactory.instance.objectNode();
    columns.properties().forEach(each -> inverted.put(each.getValue().asText(), each.getKey()));
    return inverted;
  }

  /**
   * The sources that values of --dataset name: NAME, NAME#N, or the path of a file.
   *
   * @throws TrainerException USAGE for a name that is neither registered nor a path
   */
  ArrayNode sources(List<String> values) {
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    values.forEach(value -> all.add(source(value)));
    return all;
  }

  private JsonNode source(String value) {
    Matcher sampled = SAMPLED.matcher(value);
    boolean hasSize = sampled.matches();
    String name = hasSize ? sampled.group(1) : value;
    ObjectNode known = sources.get(name);
    if (known != null) {
      ObjectNode source = known.deepCopy();
      if (hasSize) {
        source.set("sample", FlagValues.number(sampled.group(2)));
      }
      return source;
    }
    if (name.contains("/") || name.contains(".")) {
      return FlagValues.dataset(value);
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "--dataset %s: %s registers no such data set, only %s; a file needs its ending, such as %s.jsonl"
            .formatted(name, file, String.join(", ", sources.keySet()), name));
  }

  private TrainerException invalid(String what, Exception cause) {
    return new TrainerException(TrainerExit.USAGE, "%s %s: %s".formatted(FLAG, file, what), cause);
  }
}
