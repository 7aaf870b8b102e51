package dev.finetune.trainer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The values of ms-swift's flags as a recipe's values. */
final class FlagValues {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");
  private static final Pattern SAMPLED = Pattern.compile("(.+)#([0-9]+)");

  private FlagValues() {}

  static JsonNode text(String value) {
    return NODES.textNode(value);
  }

  /** A number, or the text as it is: then the schema says what is wrong with it. */
  static JsonNode number(String value) {
    if (!NUMBER.matcher(value).matches()) {
      return text(value);
    }
    try {
      // JSON knows neither a leading plus nor a bare point at either end.
      String json =
          value
              .replaceFirst("^\\+", "")
              .replaceFirst("^(-?)\\.", "$10.")
              .replaceFirst("\\.($|[eE])", ".0$1");
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      return text(value);
    }
  }

  static JsonNode flag(String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true", "1", "yes", "" -> NODES.booleanNode(true);
      case "false", "0", "no" -> NODES.booleanNode(false);
      default -> text(value);
    };
  }

  static JsonNode location(String value) {
    return text(Locations.sourceOf(value));
  }

  /** PATH or PATH#N, which takes N rows. */
  static JsonNode dataset(String value) {
    Matcher sampled = SAMPLED.matcher(value);
    ObjectNode source = NODES.objectNode();
    if (sampled.matches()) {
      source.set("source", location(sampled.group(1)));
      source.set("sample", number(sampled.group(2)));
    } else {
      source.set("source", location(value));
    }
    return source;
  }

  /** ALL is every linear layer; DEFAULT and AUTO are ms-swift's for Llama and Qwen. */
  static JsonNode targetModules(List<String> values) {
    ArrayNode modules = NODES.arrayNode();
    for (String value : values) {
      switch (value) {
        case "ALL", "all-linear" -> modules.add("all-linear");
        case "DEFAULT", "AUTO" -> modules.add("q_proj").add("k_proj").add("v_proj");
        case "EMBEDDING" -> modules.add("embed_tokens");
        default -> modules.add(value);
      }
    }
    return modules;
  }

  /**
   * ms-swift's {"file's column": "format's column"} as the recipe's columns, which say it the other
   * way round.
   */
  static ObjectNode columns(String value) {
    try {
      ObjectNode columns = NODES.objectNode();
      JSON.readTree(value)
          .properties()
          .forEach(column -> columns.put(column.getValue().asText(), column.getKey()));
      if (!columns.isEmpty()) {
        return columns;
      }
    } catch (JsonProcessingException e) {
      // Told below, with an example.
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "--columns must be a JSON object that renames columns, such as '{\"question\": \"query\"}',"
            + " but is "
            + value);
  }
}
