package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The operator was upgraded and the CustomResourceDefinition was not. */
class OlderSchemaIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final String ADVICE = "is older than this operator. Upgrade it: helm upgrade";
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private CustomResourceDefinition current;
  private FineTuneJobs jobs;
  private TestJobController cluster;
  private OperatorProcess operator;

  @BeforeEach
  void startOperator() {
    current = API.crd().get();
    String namespace = API.newNamespace();
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
    operator =
        OperatorProcess.start(
            "older-schema-" + namespace,
            API.kubeconfig(),
            Map.of("FINETUNE_LEADER_ELECTION", "false", "FINETUNE_NAMESPACES", namespace));
  }

  @AfterEach
  void restore() {
    operator.close();
    upgrade();
  }

  @Test
  void aFieldThatTheSchemaDoesNotKnowIsMissedAndToldOnce() {
    older(status -> status.getProperties().remove("message"));
    awaitTold("dropped status.message: ", ADVICE);

    jobs.apply("starts");
    cluster.awaitJob("starts-1");
    jobs.awaitPhase("starts", Phase.PENDING);

    assertThat(jobs.get("starts").getStatus().message()).isNull();
    assertThat(operator.log()).containsOnlyOnce("status.message").doesNotContain("\tat ");
  }

  @Test
  void aValueThatTheSchemaRefusesIsToldOnceAndWrittenAfterTheUpgrade() {
    older(
        status -> status.getProperties().get("phase").getEnum().remove(new TextNode("Suspended")));
    awaitTold("refused a status: ", "status.phase", ADVICE);
    jobs.apply("waits", "suspend: true");

    upgrade();

    jobs.awaitPhase("waits", Phase.SUSPENDED);
    assertThat(operator.log()).containsOnlyOnce("refused a status").doesNotContain("\tat ");
  }

  /** With a job after the other: the API server takes a moment to serve another schema. */
  private void awaitTold(String... words) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofSeconds(1))
        .untilAsserted(
            () -> {
              jobs.apply("waits-" + System.nanoTime(), "suspend: true");
              assertThat(operator.log()).contains(words);
            });
  }

  private static void older(Consumer<JSONSchemaProps> change) {
    API.crd()
        .edit(
            crd -> {
              change.accept(
                  crd.getSpec()
                      .getVersions()
                      .get(0)
                      .getSchema()
                      .getOpenAPIV3Schema()
                      .getProperties()
                      .get("status"));
              return crd;
            });
  }

  private void upgrade() {
    API.crd()
        .edit(
            crd -> {
              crd.setSpec(current.getSpec());
              return crd;
            });
  }
}
