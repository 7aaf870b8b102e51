package dev.finetune.operator.status;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import java.util.Optional;

/**
 * What a trainer left behind: its {@link TerminationMessage}, or where it had no time to write one,
 * the end of its log.
 */
record LastWords(Optional<TerminationMessage> structured, String log) {
  /** Characters of a log that help; more of it is in the pod's log. */
  private static final int LONGEST_LOG = 1500;

  /** Unknown properties are let pass: a job may run a newer trainer's image. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  static LastWords of(ContainerStateTerminated terminated) {
    String text = terminated.getMessage() == null ? "" : terminated.getMessage().strip();
    if (text.startsWith("{")) {
      try {
        TerminationMessage message = JSON.readValue(text, TerminationMessage.class);
        return new LastWords(
            Optional.of(message), message.log() == null ? "" : tail(message.log().strip()));
      } catch (JsonProcessingException e) {
        // A log line that happens to be JSON, or a message cut short: text all the same.
        return new LastWords(Optional.empty(), tail(text));
      }
    }
    return new LastWords(Optional.empty(), tail(text));
  }

  Progress progress() {
    return structured.map(TerminationMessage::progress).orElse(Progress.NONE);
  }

  /** One sentence for people, or the last line of the log; empty where nothing is known. */
  String text() {
    return structured
        .map(TerminationMessage::message)
        .orElseGet(() -> log.substring(log.lastIndexOf('\n') + 1));
  }

  /** The last lines of the log. */
  String logOrNull() {
    return log.isEmpty() ? null : log;
  }

  private static String tail(String text) {
    return text.length() <= LONGEST_LOG ? text : "…" + text.substring(text.length() - LONGEST_LOG);
  }
}
