package dev.finetune.trainer.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The file from which Kubernetes takes a container's last words. */
public final class TerminationMessageFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;

  /**
   * Names the file.
   *
   * @param file the container's terminationMessagePath
   */
  public TerminationMessageFile(Path file) {
    this.file = file;
  }

  /** Writes the message, shortened to what Kubernetes keeps. */
  public void write(TerminationMessage message) throws IOException {
    Files.write(file, bytes(message));
  }

  /**
   * The message as JSON of at most {@link TerminationMessage#MAX_BYTES} bytes of UTF-8: the oldest
   * epochs are left out first, then the warnings, then the log's oldest lines, then the end of the
   * text is.
   */
  static byte[] bytes(TerminationMessage message) throws JsonProcessingException {
    TerminationMessage shorter = message;
    byte[] bytes = JSON.writeValueAsBytes(shorter);
    while (bytes.length > TerminationMessage.MAX_BYTES) {
      shorter = shortened(shorter, bytes.length - TerminationMessage.MAX_BYTES);
      bytes = JSON.writeValueAsBytes(shorter);
    }
    return bytes;
  }

  private static TerminationMessage shortened(TerminationMessage message, int excessBytes) {
    Progress progress = message.progress();
    if (progress != null && progress.epochs() != null && !progress.epochs().isEmpty()) {
      List<EpochResult> epochs = progress.epochs();
      return new TerminationMessage(
          message.exit(),
          message.message(),
          message.log(),
          with(progress, epochs.subList(1, epochs.size()), progress.warnings()));
    }
    if (progress != null && progress.warnings() != null) {
      return new TerminationMessage(
          message.exit(),
          message.message(),
          message.log(),
          with(progress, progress.epochs(), null));
    }
    if (message.log() != null) {
      String rest = message.log().substring(message.log().indexOf('\n') + 1);
      return new TerminationMessage(
          message.exit(),
          message.message(),
          rest.length() < message.log().length() ? rest : null,
          progress);
    }
    String text = message.message();
    if (text != null && text.length() > 1) {
      // A character takes one byte at least, so this never cuts more than is needed by bytes.
      int end = Math.max(1, text.length() - Math.max(1, excessBytes / 6));
      if (Character.isHighSurrogate(text.charAt(end - 1))) {
        end--;
      }
      return new TerminationMessage(message.exit(), text.substring(0, end), null, progress);
    }
    return new TerminationMessage(message.exit(), null, null, null);
  }

  private static Progress with(Progress progress, List<EpochResult> epochs, List<String> warnings) {
    return new Progress(
        progress.training(),
        epochs,
        progress.checkpoints(),
        progress.dataset(),
        progress.parameters(),
        progress.result(),
        warnings);
  }
}
