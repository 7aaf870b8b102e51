package dev.finetune.operator.observe;

import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.MovingClock;
import dev.finetune.operator.TestConfig;
import dev.finetune.operator.observe.ProgressSource.Answer;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One HTTP server plays the trainer and the API server's pod proxy. */
class HttpProgressSourceTest {
  private static final String PROXY =
      "/api/v1/namespaces/default/pods/tune-1-0-abcde:%d/proxy/progress";

  /** Nothing listens on it. */
  private static final String NOBODY = "127.9.9.9";

  private HttpServer server;
  private KubernetesClient client;
  private final MovingClock clock = new MovingClock();
  private HttpProgressSource source;
  private final List<String> asked = new ArrayList<>();
  private volatile String answer = "";

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.add(exchange.getRequestURI().getPath());
          byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    Config config =
        new ConfigBuilder(Config.empty()).withMasterUrl("http://127.0.0.1:" + port()).build();
    client = new KubernetesClientBuilder().withConfig(config).build();
    source =
        new HttpProgressSource(
            client, TestConfig.with(Map.of("finetune.progress.timeout", "30s")), clock);
  }

  @AfterEach
  void stop() {
    client.close();
    server.stop(0);
  }

  @Test
  void asksTheTrainerAtItsPodsAddress() {
    answer = Serialization.asJson(progress(20, 20, null));

    assertThat(ask("127.0.0.1")).isEqualTo(new Answer(true, progress(20, 20, null)));
    assertThat(asked).containsExactly(Progress.PATH);
  }

  @Test
  void asksThroughTheApiServerWherePodAddressesAreOutOfReach() {
    answer = Serialization.asJson(progress(20, 20, null));

    assertThat(ask(NOBODY)).isEqualTo(new Answer(true, progress(20, 20, null)));
    assertThat(asked).containsExactly(PROXY.formatted(port()));
  }

  @Test
  void aThousandPodsOutOfReachCostTheApiServerOneQuestionASecond() {
    answer = "not a trainer";
    for (int i = 0; i < 20; i++) {
      ask(NOBODY);
    }
    clock.pass(Duration.ofSeconds(1));
    ask(NOBODY);

    assertThat(asked).hasSize(2);
  }

  @Test
  void theApiServerIsLeftAloneOnceATrainerHasAnsweredAtItsAddress() {
    answer = Serialization.asJson(progress(20, 20, null));
    ask("127.0.0.1");

    assertThat(ask(NOBODY)).isEqualTo(Answer.UNREACHABLE);
    assertThat(asked).containsExactly(Progress.PATH);
  }

  @Test
  void anAnswerThatIsNoProgressIsNone() {
    answer = "<html>not a trainer</html>";

    assertThat(ask("127.0.0.1")).isEqualTo(Answer.SILENT);
  }

  @Test
  void aNewerTrainersFieldsAreLetPass() {
    answer = "{\"training\": {\"step\": 7, \"mood\": \"good\"}, \"weather\": {}}";

    assertThat(ask("127.0.0.1").progress().training().step()).isEqualTo(7);
  }

  @Test
  void anAnswerWithoutEndIsNotReadToItsEnd() {
    answer = "[" + " ".repeat(5 << 20) + "]";

    assertThat(ask("127.0.0.1").progress()).isEqualTo(Progress.NONE);
  }

  @Test
  void aTrainerThatTakesTheQuestionAndIsSilentIsReached() throws IOException {
    source =
        new HttpProgressSource(
            client, TestConfig.with(Map.of("finetune.progress.timeout", "200ms")), clock);
    // The kernel accepts for a process that is stopped.
    try (var stopped = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Pod pod = pod("127.0.0.1");
      pod.getSpec()
          .getContainers()
          .get(0)
          .getPorts()
          .get(0)
          .setContainerPort(stopped.getLocalPort());

      assertThat(source.ask(pod).join()).isEqualTo(Answer.SILENT);
    }
  }

  @Test
  void aTrainerWithoutAWayToItIsNotReached() {
    answer = "";
    server.stop(0);

    assertThat(ask("127.0.0.1")).isEqualTo(Answer.UNREACHABLE);
  }

  private Answer ask(String ip) {
    return source.ask(pod(ip)).join();
  }

  private Pod pod(String ip) {
    Pod pod = runningPod(1);
    pod.getStatus().setPodIP(ip);
    pod.getSpec().getContainers().get(0).getPorts().get(0).setContainerPort(port());
    return pod;
  }

  private int port() {
    return server.getAddress().getPort();
  }
}
