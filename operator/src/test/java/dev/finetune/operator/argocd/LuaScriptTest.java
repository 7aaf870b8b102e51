package dev.finetune.operator.argocd;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.operator.support.Manifests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cases of health_test.yaml and action_test.yaml, as Argo CD runs those of its own tree. */
class LuaScriptTest {
  private static final Path FOLDER = Path.of("../argocd").resolve(ArgoCdFile.SCRIPTS);
  private static final Path ACTIONS = FOLDER.resolve("actions");
  private static final ObjectMapper JSON = new ObjectMapper();

  static List<JsonNode> healthTests() {
    return cases(FOLDER.resolve("health_test.yaml"), "tests");
  }

  static List<JsonNode> discoveryTests() {
    return cases(ACTIONS.resolve("action_test.yaml"), "discoveryTests");
  }

  static List<JsonNode> actionTests() {
    return cases(ACTIONS.resolve("action_test.yaml"), "actionTests");
  }

  @ParameterizedTest
  @MethodSource("healthTests")
  void tellsTheHealthOfAJob(JsonNode test) {
    JsonNode health = script("health.lua").run(resource(FOLDER, test.get("inputPath")));

    assertThat(health).isEqualTo(test.get("healthStatus"));
  }

  @ParameterizedTest
  @MethodSource("discoveryTests")
  void offersAnActionOnlyWhereItChangesSomething(JsonNode test) {
    JsonNode offered =
        script("actions/discovery.lua").run(resource(ACTIONS, test.get("inputPath")));

    ObjectNode expected = JSON.createObjectNode();
    for (JsonNode action : test.get("result")) {
      expected
          .putObject(action.get("name").asText())
          .put("iconClass", action.get("iconClass").asText())
          .put("disabled", action.path("disabled").asBoolean());
    }
    assertThat(offered).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("actionTests")
  void anActionChangesSuspendAndNothingElse(JsonNode test) {
    JsonNode output =
        script("actions/" + test.get("action").asText() + "/action.lua")
            .run(resource(ACTIONS, test.get("inputPath")));

    assertThat(Manifests.canonical(output))
        .isEqualTo(Manifests.canonical(resource(ACTIONS, test.get("expectedOutputPath"))));
  }

  @Test
  void everyMomentOfAJobIsTested() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER.resolve("testdata"))) {
      Stream<String> named =
          Stream.of(healthTests(), discoveryTests(), actionTests())
              .flatMap(List::stream)
              .flatMap(test -> Stream.of(test.path("inputPath"), test.path("expectedOutputPath")))
              .map(path -> path.asText().replaceAll(".*/", ""));
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              JobMoment.all().stream().map(moment -> moment.name() + ".yaml").toList())
          .isSubsetOf(named.toList());
    }
  }

  private static LuaScript script(String file) {
    return LuaScript.read(FOLDER.resolve(file));
  }

  private static List<JsonNode> cases(Path file, String list) {
    var cases = new ArrayList<JsonNode>();
    yaml(file).get(list).forEach(cases::add);
    return cases;
  }

  private static JsonNode resource(Path folder, JsonNode path) {
    return yaml(folder.resolve(path.asText()));
  }

  private static JsonNode yaml(Path file) {
    try {
      return new YAMLMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
