package dev.finetune.operator.argocd;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ApplicationExampleTest {
  @Test
  void healsItselfAndLeavesSuspendToWhoeverSetIt() throws IOException {
    JsonNode policy =
        new YAMLMapper()
            .readTree(Path.of("../examples/argocd/application.yaml").toFile())
            .at("/spec/syncPolicy");

    assertThat(policy.at("/automated/selfHeal").asBoolean()).isTrue();
    assertThat(policy.get("syncOptions"))
        .extracting(JsonNode::asText)
        .contains("RespectIgnoreDifferences=true");
  }
}
