package dev.finetune.trainer.engine;

/** The engine couldn't get the memory it needed, in main memory or on a device. */
public final class DeviceMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DeviceMemoryException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether an engine's message says that memory ran out. */
  static boolean isMeantBy(String message) {
    return message != null
        && (message.contains("out of memory")
            || message.contains("can't allocate memory")
            || message.contains("not enough memory")
            || message.contains("Storage size calculation overflowed"));
  }

  /** The engine's sentence about the memory, without its trace. */
  static String sentenceOf(String message) {
    for (String line : message.lines().toList()) {
      if (isMeantBy(line)) {
        return line.strip();
      }
    }
    return message.strip();
  }
}
