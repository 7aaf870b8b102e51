package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.Type;

/**
 * Parquet's records as JSON: groups are objects, groups of the logical type LIST arrays, MAP an
 * object by the keys' text; numbers and booleans stay, and all other primitive types are text.
 */
final class ParquetRows {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private ParquetRows() {}

  /** A record as an object of its fields; a field without a value is null. */
  static ObjectNode object(Group group) {
    ObjectNode object = JSON.objectNode();
    GroupType type = group.getType();
    for (int field = 0; field < type.getFieldCount(); field++) {
      object.set(type.getFieldName(field), field(group, field));
    }
    return object;
  }

  private static JsonNode field(Group group, int field) {
    if (group.getType().getType(field).isRepetition(Type.Repetition.REPEATED)) {
      ArrayNode all = JSON.arrayNode();
      for (int i = 0; i < group.getFieldRepetitionCount(field); i++) {
        all.add(value(group, field, i));
      }
      return all;
    }
    return group.getFieldRepetitionCount(field) == 0 ? JSON.nullNode() : value(group, field, 0);
  }

  private static JsonNode value(Group group, int field, int index) {
    Type type = group.getType().getType(field);
    if (type.isPrimitive()) {
      return primitive(group, field, index);
    }
    Group inner = group.getGroup(field, index);
    if (type.getLogicalTypeAnnotation() instanceof ListLogicalTypeAnnotation) {
      return list(inner);
    }
    return type.getLogicalTypeAnnotation() instanceof MapLogicalTypeAnnotation
        ? map(inner)
        : object(inner);
  }

  private static JsonNode primitive(Group group, int field, int index) {
    Type type = group.getType().getType(field);
    if (type.getLogicalTypeAnnotation() != null) {
      return JSON.textNode(group.getValueToString(field, index));
    }
    return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case BOOLEAN -> JSON.booleanNode(group.getBoolean(field, index));
      case INT32 -> JSON.numberNode(group.getInteger(field, index));
      case INT64 -> JSON.numberNode(group.getLong(field, index));
      case FLOAT -> JSON.numberNode(group.getFloat(field, index));
      case DOUBLE -> JSON.numberNode(group.getDouble(field, index));
      default -> JSON.textNode(group.getValueToString(field, index));
    };
  }

  /**
   * A list's elements. Writers of today put a group of one field between the list and its elements;
   * older ones repeat the element itself.
   */
  private static ArrayNode list(Group list) {
    ArrayNode all = JSON.arrayNode();
    Type repeated = list.getType().getType(0);
    boolean wrapped =
        !repeated.isPrimitive()
            && repeated.asGroupType().getFieldCount() == 1
            && !repeated.getName().equals("array")
            && !repeated.getName().endsWith("_tuple");
    for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
      all.add(wrapped ? field(list.getGroup(0, i), 0) : value(list, 0, i));
    }
    return all;
  }

  private static ObjectNode map(Group map) {
    ObjectNode object = JSON.objectNode();
    for (int i = 0; i < map.getFieldRepetitionCount(0); i++) {
      Group entry = map.getGroup(0, i);
      object.set(entry.getValueToString(0, 0), field(entry, 1));
    }
    return object;
  }
}
