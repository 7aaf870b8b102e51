package dev.finetune.trainer.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** TorchScript source that lies beside a class on the class path. */
public final class ScriptSource {
  private ScriptSource() {}

  /**
   * The files one behind the other, as one source.
   *
   * @param owner a class of the package that holds them
   * @param files their names
   */
  public static String read(Class<?> owner, String... files) {
    StringBuilder source = new StringBuilder();
    for (String file : files) {
      try (InputStream in = owner.getResourceAsStream(file)) {
        if (in == null) {
          throw new IllegalStateException("missing on the class path: " + file + " of " + owner);
        }
        source.append(new String(in.readAllBytes(), StandardCharsets.UTF_8)).append('\n');
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return source.toString();
  }
}
