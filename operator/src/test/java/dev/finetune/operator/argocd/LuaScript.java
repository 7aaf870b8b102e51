package dev.finetune.operator.argocd;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import party.iroiro.luajava.Lua;
import party.iroiro.luajava.lua51.Lua51;

/**
 * A Lua script as Argo CD runs it: Lua 5.1 with the base and table libraries only, the resource in
 * the global {@code obj}.
 */
final class LuaScript {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String text;

  private LuaScript(String text) {
    this.text = text;
  }

  /** Reads it. */
  static LuaScript read(Path file) {
    try {
      return new LuaScript(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it on a resource and returns the table that it returns. */
  JsonNode run(JsonNode resource) {
    try (Lua lua = new Lua51()) {
      lua.openLibrary("");
      lua.openLibrary("table");
      lua.push(JSON.convertValue(resource, new TypeReference<Map<String, Object>>() {}));
      lua.setGlobal("obj");
      lua.load(text);
      lua.pCall(0, 1);
      return tree(lua.toObject(-1));
    }
  }

  /** Lua knows one kind of table; one with the keys 1 to n is an array. */
  private static JsonNode tree(Object value) {
    if (value instanceof Map<?, ?> table) {
      return isArray(table) ? array(table) : object(table);
    }
    return value instanceof Double number && number == Math.rint(number)
        ? JSON.valueToTree(number.longValue())
        : JSON.valueToTree(value);
  }

  private static boolean isArray(Map<?, ?> table) {
    return !table.isEmpty() && table.keySet().stream().allMatch(Number.class::isInstance);
  }

  private static ArrayNode array(Map<?, ?> table) {
    ArrayNode array = JSON.createArrayNode();
    Stream.iterate(1.0, i -> i + 1).limit(table.size()).forEach(i -> array.add(tree(table.get(i))));
    return array;
  }

  private static ObjectNode object(Map<?, ?> table) {
    ObjectNode object = JSON.createObjectNode();
    table.forEach((key, value) -> object.set((String) key, tree(value)));
    return object;
  }
}
