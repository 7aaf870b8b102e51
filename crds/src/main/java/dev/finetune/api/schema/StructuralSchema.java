package dev.finetune.api.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A Kubernetes structural schema. Defaults are filled in where a field is absent, and then inside
 * what is there or was filled in, as the API server does. A {@code null} counts as absent, which is
 * the API server's rule for fields that aren't nullable, as none of ours is.
 */
final class StructuralSchema {
  private static final String INT_OR_STRING = "x-kubernetes-int-or-string";
  private static final String PRESERVE_UNKNOWN = "x-kubernetes-preserve-unknown-fields";

  private static final Pattern EXPONENT = Pattern.compile("[-+]?[0-9]+[eE][-+]?[0-9]+");

  private final JsonNode schema;

  StructuralSchema(JsonNode schema) {
    this.schema = schema;
  }

  /**
   * Fills in the defaults in place. A number such as {@code 1e-4} becomes one: without a dot it is
   * a string to Java's YAML parser, which is of YAML 1.1, and a number to kubectl's.
   */
  void fillIn(JsonNode value) {
    if (value.isObject()) {
      fillIn((ObjectNode) value);
    } else if (value.isArray()) {
      var items = new StructuralSchema(schema.path("items"));
      value.forEach(items::fillIn);
    }
  }

  private void fillIn(ObjectNode object) {
    schema
        .path("properties")
        .properties()
        .forEach(
            property -> {
              JsonNode value = object.get(property.getKey());
              if (value == null || value.isNull()) {
                object.remove(property.getKey());
                if (property.getValue().has("default")) {
                  object.set(property.getKey(), property.getValue().get("default").deepCopy());
                }
              }
              var field = new StructuralSchema(property.getValue());
              field.readExponent(object, property.getKey());
              field.fillIn(object.path(property.getKey()));
            });
  }

  private void readExponent(ObjectNode object, String name) {
    JsonNode value = object.path(name);
    if (type().equals("number")
        && value.isTextual()
        && EXPONENT.matcher(value.textValue()).matches()) {
      object.set(name, DoubleNode.valueOf(Double.parseDouble(value.textValue())));
    }
  }

  /** Everything that isn't allowed, in the order of the document. */
  List<SchemaViolation> check(JsonNode value, String path) {
    var violations = new ArrayList<SchemaViolation>();
    check(value, path, violations);
    return violations;
  }

  private void check(JsonNode value, String path, List<SchemaViolation> violations) {
    if (!hasType(value)) {
      violations.add(
          new SchemaViolation(path, "must be " + article(type()) + ", not " + describe(value)));
      return;
    }
    if (value.isObject()) {
      checkObject(value, path, violations);
    } else if (value.isArray()) {
      checkArray(value, path, violations);
    } else if (value.isTextual()) {
      checkText(value.textValue(), path, violations);
    } else if (value.isNumber()) {
      checkNumber(value, path, violations);
    }
  }

  private boolean hasType(JsonNode value) {
    return switch (type()) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "boolean" -> value.isBoolean();
      case "number" -> value.isNumber();
      case "integer" -> value.isIntegralNumber() || isWhole(value);
      case INT_OR_STRING -> value.isIntegralNumber() || value.isTextual();
      default -> throw new IllegalStateException("a structural schema has no type " + type());
    };
  }

  /** JSON has one kind of number; 1.0e2 is an integer. */
  private static boolean isWhole(JsonNode value) {
    return value.isFloatingPointNumber() && value.doubleValue() == Math.rint(value.doubleValue());
  }

  private String type() {
    return schema.path(INT_OR_STRING).asBoolean() ? INT_OR_STRING : schema.path("type").asText();
  }

  private void checkObject(JsonNode object, String path, List<SchemaViolation> violations) {
    for (JsonNode required : schema.path("required")) {
      if (!object.hasNonNull(required.asText())) {
        violations.add(new SchemaViolation(path + "." + required.asText(), "is required"));
      }
    }
    object
        .properties()
        .forEach(
            field -> {
              String fieldPath = path + "." + field.getKey();
              JsonNode known = schema.path("properties").path(field.getKey());
              if (!known.isMissingNode()) {
                // Absent and null are the same.
                if (!field.getValue().isNull()) {
                  new StructuralSchema(known).check(field.getValue(), fieldPath, violations);
                }
              } else if (schema.has("additionalProperties")) {
                new StructuralSchema(schema.get("additionalProperties"))
                    .check(field.getValue(), fieldPath, violations);
              } else if (!schema.path(PRESERVE_UNKNOWN).asBoolean()) {
                violations.add(new SchemaViolation(fieldPath, unknownField(field.getKey())));
              }
            });
  }

  private String unknownField(String name) {
    var known = new TreeSet<String>();
    schema.path("properties").fieldNames().forEachRemaining(known::add);
    return NearestName.of(name, known)
        .map(nearest -> "unknown field; did you mean " + nearest + "?")
        .orElse("unknown field; known are " + String.join(", ", known));
  }

  private void checkArray(JsonNode array, String path, List<SchemaViolation> violations) {
    checkSize("items", array.size(), "minItems", "maxItems", path, violations);
    var items = new StructuralSchema(schema.path("items"));
    for (int i = 0; i < array.size(); i++) {
      items.check(array.get(i), path + "[" + i + "]", violations);
    }
  }

  private void checkText(String text, String path, List<SchemaViolation> violations) {
    JsonNode allowed = schema.path("enum");
    if (allowed.isArray()) {
      var names = new ArrayList<String>();
      allowed.forEach(name -> names.add(name.asText()));
      if (!names.contains(text)) {
        violations.add(
            new SchemaViolation(
                path, "\"" + text + "\" is not one of " + String.join(", ", names)));
      }
    }
    checkSize(
        "characters",
        text.codePointCount(0, text.length()),
        "minLength",
        "maxLength",
        path,
        violations);
    String pattern = schema.path("pattern").asText("");
    if (!pattern.isEmpty() && !Pattern.compile(pattern).matcher(text).find()) {
      violations.add(
          new SchemaViolation(path, "\"" + text + "\" doesn't have the form " + pattern));
    }
  }

  private void checkSize(
      String unit,
      int size,
      String least,
      String most,
      String path,
      List<SchemaViolation> violations) {
    if (schema.has(least) && size < schema.get(least).asInt()) {
      violations.add(
          new SchemaViolation(
              path, size + " " + unit + " are fewer than " + schema.get(least).asInt()));
    }
    if (schema.has(most) && size > schema.get(most).asInt()) {
      violations.add(
          new SchemaViolation(
              path, size + " " + unit + " are more than " + schema.get(most).asInt()));
    }
  }

  private void checkNumber(JsonNode number, String path, List<SchemaViolation> violations) {
    double value = number.doubleValue();
    if (schema.has("minimum")) {
      double minimum = schema.get("minimum").doubleValue();
      boolean exclusive = schema.path("exclusiveMinimum").asBoolean();
      if (value < minimum || (exclusive && value == minimum)) {
        String bound = exclusive ? " is not greater than " : " is less than ";
        violations.add(new SchemaViolation(path, number.asText() + bound + plain(minimum)));
      }
    }
    if (schema.has("maximum")) {
      double maximum = schema.get("maximum").doubleValue();
      boolean exclusive = schema.path("exclusiveMaximum").asBoolean();
      if (value > maximum || (exclusive && value == maximum)) {
        String bound = exclusive ? " is not less than " : " is greater than ";
        violations.add(new SchemaViolation(path, number.asText() + bound + plain(maximum)));
      }
    }
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? String.valueOf((long) bound) : String.valueOf(bound);
  }

  private static String article(String type) {
    return switch (type) {
      case "object", "array", "integer" -> "an " + type;
      case INT_OR_STRING -> "an integer or a string";
      default -> "a " + type;
    };
  }

  private static String describe(JsonNode value) {
    return switch (value.getNodeType()) {
      case OBJECT -> "an object";
      case ARRAY -> "an array";
      case MISSING, NULL -> "absent";
      default -> value.toString();
    };
  }
}
