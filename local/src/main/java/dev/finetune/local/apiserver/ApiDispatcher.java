package dev.finetune.local.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Answers requests. Reads, selectors and watches are the mock's; every write goes through {@link
 * ObjectWriter} and {@link ObjectRemoval}, because the mock's own handlers know no server-side
 * apply and append to lists where a merge patch replaces them.
 */
final class ApiDispatcher extends KubernetesCrudDispatcher {
  private static final Pattern GRACE_PERIOD =
      Pattern.compile("[?&]gracePeriodSeconds=(?<seconds>[0-9]+)");

  private final ObjectWriter writer;
  private final ObjectRemoval removal;

  ApiDispatcher(Clock clock) {
    super(List.of(CustomResourceDefinitionContext.fromCustomResourceType(FineTuneJob.class)));
    ObjectStore store = new ObjectStore(this, map);
    this.removal = new ObjectRemoval(store, clock);
    this.writer = new ObjectWriter(store, removal, clock);
  }

  /**
   * One request at a time, so that what is read, changed and stored again is changed by nobody
   * else.
   */
  @Override
  public synchronized MockResponse dispatch(RecordedRequest request) {
    try {
      return answer(request);
    } catch (RefusedException e) {
      return json(e.status().getCode(), Serialization.asJson(e.status()));
    } catch (KubernetesClientException | IllegalArgumentException e) {
      RefusedException malformed = RefusedException.badRequest("malformed: " + e.getMessage());
      return json(malformed.status().getCode(), Serialization.asJson(malformed.status()));
    }
  }

  private MockResponse answer(RecordedRequest request) {
    String pathAndQuery = request.getPath();
    Optional<JsonNode> discovered = Discovery.document(pathAndQuery.replaceFirst("\\?.*", ""));
    if (discovered.isPresent()) {
      return json(HttpURLConnection.HTTP_OK, Serialization.asJson(discovered.get()));
    }
    ResourcePath path =
        ResourcePath.parse(pathAndQuery)
            .orElseThrow(
                () ->
                    RefusedException.badRequest("the embedded API server has no " + pathAndQuery));
    if (pathAndQuery.contains("dryRun=")) {
      throw RefusedException.badRequest("the embedded API server knows no dry run");
    }
    return switch (request.method()) {
      case GET -> read(path, pathAndQuery);
      case POST -> json(HttpURLConnection.HTTP_CREATED, writer.create(path, body(request)));
      case PUT -> json(HttpURLConnection.HTTP_OK, writer.replace(path, body(request)));
      case PATCH ->
          json(
              HttpURLConnection.HTTP_OK,
              writer.patch(
                  path,
                  String.valueOf(request.getHeader("Content-Type")),
                  Serialization.unmarshal(request.getUtf8Body(), JsonNode.class)));
      case DELETE -> delete(path, request);
      default -> throw RefusedException.badRequest("unsupported method " + request.getMethod());
    };
  }

  private MockResponse read(ResourcePath path, String pathAndQuery) {
    MockResponse response = handleGet(pathAndQuery);
    if (response.code() == HttpURLConnection.HTTP_NOT_FOUND) {
      throw RefusedException.notFound(path);
    }
    // An answer that becomes a WebSocket is a watch.
    return response.getWebSocketListener() == null
        ? response.setHeader("Content-Type", "application/json")
        : response.withWebSocketUpgrade(new LockedWatch(response.getWebSocketListener(), this));
  }

  private MockResponse delete(ResourcePath path, RecordedRequest request) {
    if (path.name() != null) {
      return json(HttpURLConnection.HTTP_OK, removal.delete(path, gracePeriod(request)));
    }
    MockResponse list = handleGet(request.getPath());
    JsonNode selected = Serialization.unmarshal(list.getBody().readUtf8(), JsonNode.class);
    for (JsonNode item : selected.path("items")) {
      String collection =
          path.collection().contains("/namespaces/")
              ? path.collection()
              : path.collection()
                  .replaceFirst(
                      "/([^/]+)$",
                      "/namespaces/" + item.at("/metadata/namespace").asText() + "/$1");
      ResourcePath each =
          ResourcePath.parse(collection + "/" + item.at("/metadata/name").asText()).orElseThrow();
      removal.delete(each, gracePeriod(request));
    }
    return json(HttpURLConnection.HTTP_OK, Serialization.asJson(selected));
  }

  /** From the query, as kubectl has it, or from the DeleteOptions in the body. */
  private static Optional<Long> gracePeriod(RecordedRequest request) {
    Matcher query = GRACE_PERIOD.matcher(request.getPath());
    if (query.find()) {
      return Optional.of(Long.valueOf(query.group("seconds")));
    }
    String body = request.getUtf8Body();
    if (body == null || body.isBlank()) {
      return Optional.empty();
    }
    JsonNode options = Serialization.unmarshal(body, JsonNode.class);
    return options.hasNonNull("gracePeriodSeconds")
        ? Optional.of(options.get("gracePeriodSeconds").asLong())
        : Optional.empty();
  }

  private static ObjectNode body(RecordedRequest request) {
    JsonNode body = Serialization.unmarshal(request.getUtf8Body(), JsonNode.class);
    if (body == null || !body.isObject()) {
      throw RefusedException.badRequest("the body of the request is not an object");
    }
    return (ObjectNode) body;
  }

  private static MockResponse json(int code, ObjectNode object) {
    return json(code, Serialization.asJson(object));
  }

  private static MockResponse json(int code, String body) {
    return new MockResponse()
        .setResponseCode(code)
        .setHeader("Content-Type", "application/json")
        .setBody(body);
  }
}
