package dev.finetune.trainer.data.jinja;

import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A parsed template. Immutable, so that many threads can render it at once. */
public final class Template {
  private final List<Statement> statements;
  private final Clock clock;

  private Template(List<Statement> statements, Clock clock) {
    this.statements = statements;
    this.clock = clock;
  }

  /**
   * Parses a template.
   *
   * @param source its text
   * @param clock what strftime_now reads
   * @throws JinjaException if it isn't well-formed, or has a statement, filter or test that isn't
   *     supported
   */
  public static Template parse(String source, Clock clock) {
    return new Template(Parser.parse(source), clock);
  }

  /**
   * Renders the template.
   *
   * @param variables null, Boolean, whole and decimal numbers, String, List and Map, nested as one
   *     likes
   * @throws JinjaException if the template raises an exception, uses something undefined or does
   *     what isn't supported
   */
  public String render(Map<String, ?> variables) {
    Scope scope = new Scope(Globals.scope(clock));
    variables.forEach((name, value) -> scope.bind(name, imported(value)));
    return Renderer.render(statements, scope);
  }

  /** A value in the types that the interpreter computes with; containers are copied. */
  private static Object imported(Object value) {
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value instanceof Float number) {
      return number.doubleValue();
    } else if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>(list.size());
      list.forEach(item -> copy.add(imported(item)));
      return copy;
    } else if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((key, item) -> copy.put(imported(key), imported(item)));
      return copy;
    }
    boolean known =
        value == null
            || value instanceof Boolean
            || value instanceof Long
            || value instanceof Double
            || value instanceof String;
    if (!known) {
      throw new IllegalArgumentException("a template can't use a " + value.getClass().getName());
    }
    return value;
  }
}
