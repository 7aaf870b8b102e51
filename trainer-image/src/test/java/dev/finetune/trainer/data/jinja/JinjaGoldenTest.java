package dev.finetune.trainer.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Renderings of Jinja2 3.1 as transformers configures it, made by cases.py and constructs.py. */
class JinjaGoldenTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Clock NEW_YEAR =
      Clock.fixed(Instant.parse("2026-01-01T12:00:00Z"), ZoneOffset.UTC);

  static Stream<Arguments> conversations() throws IOException {
    return rows(read("expect.json"))
        .map(
            row ->
                Arguments.of(
                    row.get("t").asText() + " " + row.get("case").asText(),
                    row.get("src").asText(),
                    variables(row.get("ctx")),
                    row));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("conversations")
  void rendersAModelsTemplateAsJinja2Does(
      String name, String source, Map<String, Object> variables, JsonNode row) {
    Template template = Template.parse(source, NEW_YEAR);
    if (row.has("out")) {
      assertThat(template.render(variables)).isEqualTo(row.get("out").asText());
    } else {
      String raised = row.get("err").asText().replaceFirst("^TemplateError: ", "");
      assertThatThrownBy(() -> template.render(variables))
          .isInstanceOf(JinjaException.class)
          .hasMessageStartingWith(raised);
    }
  }

  static Stream<Arguments> constructs() throws IOException {
    JsonNode file = read("constructs.json");
    Map<String, Object> variables = variables(file.get("variables"));
    return rows(file.get("rows"))
        .map(row -> Arguments.of(row.get("name").asText(), row, variables));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("constructs")
  void rendersAConstructAsJinja2Does(String name, JsonNode row, Map<String, Object> variables) {
    String source = row.get("template").asText();
    if (row.has("out")) {
      assertThat(Template.parse(source, NEW_YEAR).render(variables))
          .isEqualTo(row.get("out").asText());
    } else {
      assertThatThrownBy(() -> Template.parse(source, NEW_YEAR).render(variables))
          .as(row.get("error").asText())
          .isInstanceOf(JinjaException.class)
          .hasMessageContaining("line 1 of the template");
    }
  }

  private static Stream<JsonNode> rows(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static Map<String, Object> variables(JsonNode node) {
    return JSON.convertValue(node, new TypeReference<Map<String, Object>>() {});
  }

  private static JsonNode read(String name) throws IOException {
    try (InputStream in = JinjaGoldenTest.class.getResourceAsStream("/jinja/" + name)) {
      return JSON.readTree(in);
    }
  }
}
