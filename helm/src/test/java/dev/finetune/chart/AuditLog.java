package dev.finetune.chart;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What one service account asked the API server for. */
final class AuditLog {
  private final Path file;
  private final String user;

  AuditLog(Path file, String namespace, String serviceAccount) {
    this.file = file;
    this.user = "system:serviceaccount:" + namespace + ":" + serviceAccount;
  }

  /** Requests that were refused for want of a right. */
  List<String> refused() {
    return events().stream()
        .filter(
            event -> event.at("/responseStatus/code").asInt() == HttpURLConnection.HTTP_FORBIDDEN)
        .map(event -> event.get("verb").asText() + " " + event.get("requestURI").asText())
        .toList();
  }

  /** Rights that were made use of. Every user may ask what the API server is and serves. */
  Set<Right> used() {
    return events().stream()
        .filter(event -> event.has("objectRef"))
        .map(Right::of)
        .collect(Collectors.toSet());
  }

  private List<JsonNode> events() {
    try {
      return Files.readString(file)
          .lines()
          // The API server may be writing the last one.
          .filter(line -> line.endsWith("}"))
          .filter(line -> line.contains(user))
          .map(line -> Chart.parse(line).get(0))
          .filter(event -> event.at("/user/username").asText().equals(user))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
