package dev.finetune.trainer.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2024-07-26T15:04:05Z"), ZoneOffset.UTC);

  private static String render(String source, Map<String, ?> variables) {
    return Template.parse(source, CLOCK).render(variables);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "%d %b %Y|26 Jul 2024",
        "%A %B %j|Friday July 208",
        "%a %y-%m-%d|Fri 24-07-26",
        "%H:%M:%S|15:04:05",
        "%I %p|03 PM",
        "100%%|100%"
      })
  void writesTheInjectedDateAsStrftimeDoes(String format, String expected) {
    assertThat(render("{{ strftime_now('" + format + "') }}", Map.of())).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      quoteCharacter = '`',
      value = {
        "{% include 'x' %} => the statement 'include' is not supported",
        "{% extends 'x' %} => the statement 'extends' is not supported",
        "{% import 'x' as y %} => the statement 'import' is not supported",
        "{% block b %}{% endblock %} => the statement 'block' is not supported",
        "{% do x %} => the statement 'do' is not supported",
        "{{ 'x' | urlize }} => the filter 'urlize' is not supported",
        "{{ x is filter }} => the test 'filter' is not supported",
        "{% for x in y recursive %}{% endfor %} => a recursive loop is not supported",
        "{{ f(*args) }} => unpacking arguments with '*' is not supported",
        "{% if false %}{{ 'x' | nosuch }}{% endif %} => the filter 'nosuch' is not supported",
        "{% endfor %} => '{% endfor %}' without the tag that it belongs to",
        "{% if x %} => '{% if %}' is never closed",
        "{% macro m() %}{% break %}{% endmacro %} => 'break' outside a loop",
        "{{ '\\N{DASH}' }} => the escape '\\N' is not supported",
        "{{ 99999999999999999999 }} => beyond 64 bits",
        "{{ x ? 1 }} => unexpected character '?'",
        "{{ x is defined is defined }} => tests can't be chained with 'is'"
      })
  void refusesAtParseTimeWhatItDoesNotSupportAndNamesTheLine(String tag, String message) {
    String source = "first\n\n" + tag;

    assertThatThrownBy(() -> Template.parse(source, CLOCK))
        .isInstanceOfSatisfying(
            JinjaException.class, e -> assertThat(e.line()).as("line").isEqualTo(3))
        .hasMessageContaining(message)
        .hasMessageEndingWith("(line 3 of the template)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      quoteCharacter = '`',
      value = {
        "{{ 'a'.zfill(3) }} => the method str.zfill is not supported",
        "{{ [1].append(2) }} => the method list.append is not supported",
        "{{ {}.update({}) }} => the method dict.update is not supported",
        "{{ '%s' % 1 }} => formatting a string with '%' is not supported",
        "{{ joiner(', ') }} => the function 'joiner' is not supported",
        "{{ strftime_now('%q') }} => strftime_now's '%q' is not supported",
        "{% for i in [1] %}{{ loop.depth }}{% endfor %} => 'loop.depth' is not supported",
        "{{ range }} => printing a value of type function is not supported",
        "{{ message.content.text }} => a value of type dict has no 'content'",
        "{{ missing.x }} => 'missing' is undefined",
        "{{ raise_exception('No tools, please') }} => No tools, please",
        "{{ 1 + 'a' }} => '+' isn't defined for int and str",
        "{{ 'a'.split(nosuch=1) }} => str.split has no argument 'nosuch'",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }} => takes at most 1 arguments, not 2",
        "{{ range(1000000) }} => range gives more than 100000 numbers",
        "{{ 9223372036854775807 + 1 }} => long overflow"
      })
  void failsWithTheLineWhereSomethingCannotBeComputed(String tag, String message) {
    Template template = Template.parse("first\n{% if true %}\n" + tag + "{% endif %}", CLOCK);

    assertThatThrownBy(() -> template.render(Map.of("message", Map.of())))
        .isInstanceOfSatisfying(
            JinjaException.class, e -> assertThat(e.line()).as("line").isEqualTo(3))
        .hasMessageContaining(message);
  }

  @Test
  void namesTheLineOfAFaultInsideAnExpressionOfSeveralLines() {
    assertThatThrownBy(() -> render("{{ 'a'\n ~ 'b'\n ~ nope.x }}", Map.of()))
        .hasMessage("'nope' is undefined (line 3 of the template)");
  }

  @Test
  void doesNotInterpretWhatAMessageSays() {
    String content = "{{ 7 * 7 }} {% raw %} {# x #}";

    assertThat(render("{{ c }}", Map.of("c", content))).isEqualTo(content);
  }

  @Test
  void leavesTheCallersVariablesAlone() {
    Map<String, Object> variables = Map.of("l", List.of(1, 2));

    assertThat(render("{% set l = l + [3] %}{{ l }}", variables)).isEqualTo("[1, 2, 3]");
    assertThat(render("{{ l }}", variables)).isEqualTo("[1, 2]");
  }

  @Test
  void refusesAVariableOfATypeThatNoTemplateKnows() {
    assertThatThrownBy(() -> render("{{ x }}", Map.of("x", new StringBuilder())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a template can't use a java.lang.StringBuilder");
  }
}
