package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProgressServerTest {
  private final ProgressTracker tracker = new ProgressTracker(() -> 0);
  private ProgressServer server;

  @BeforeEach
  void start() throws IOException {
    server =
        ProgressServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), tracker);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void progressIsJsonOfTheApisType() throws Exception {
    tracker.loaded(new ParameterCounts(5L, 500L));
    tracker.started(ProgressTrackerTest.fresh());

    HttpResponse<String> answer = get("/progress");

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    Progress read = new ObjectMapper().readValue(answer.body(), Progress.class);
    assertThat(read).isEqualTo(tracker.progress());
    assertThat(read.training().totalSteps()).isEqualTo(6);
  }

  @Test
  void metricsHaveHelpTypeAndValueEach() throws Exception {
    tracker.started(ProgressTrackerTest.fresh());
    tracker.stepTaken(new StepReport(2, 0.5, 1.5, 0.25, 0.75, 1e-4, 100));
    tracker.logged(new StepReport(2, 0.5, 1.5, 0.25, 0.75, 1e-4, 100));

    HttpResponse<String> answer = get("/metrics");

    assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
        .startsWith("text/plain; version=0.0.4");
    assertThat(answer.body())
        .contains(
            """
            # HELP finetune_training_steps Optimizer steps done.
            # TYPE finetune_training_steps gauge
            finetune_training_steps 2
            """)
        .contains("finetune_training_loss_nats 1.5\n")
        .contains("finetune_training_learning_rate 1.0E-4\n")
        .endsWith("\n");
    List<String> lines = answer.body().lines().toList();
    for (int i = 0; i < lines.size(); i += 3) {
      String name = lines.get(i + 2).split(" ", -1)[0];
      assertThat(lines.get(i)).startsWith("# HELP " + name + " ");
      assertThat(lines.get(i + 1)).isEqualTo("# TYPE " + name + " gauge");
    }
    assertThat(lines.size() % 3).isZero();
  }

  @Test
  void itIsHealthyBeforeAnythingIsKnown() throws Exception {
    assertThat(get("/healthz").body()).isEqualTo("ok\n");
    assertThat(get("/progress").body()).isEqualTo("{}");
    assertThat(get("/metrics").statusCode()).isEqualTo(200);
  }

  @Test
  void otherPathsAndMethodsAreRefused() throws Exception {
    assertThat(get("/progress/more").statusCode()).isEqualTo(404);
    assertThat(get("/").statusCode()).isEqualTo(404);
    HttpRequest post =
        HttpRequest.newBuilder(uri("/progress"))
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build();
    HttpResponse<String> refused =
        HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.ofString());
    assertThat(refused.statusCode()).isEqualTo(405);
    assertThat(refused.headers().firstValue("Allow")).contains("GET");
  }

  private HttpResponse<String> get(String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }
}
