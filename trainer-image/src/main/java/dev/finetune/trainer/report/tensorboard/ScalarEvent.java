package dev.finetune.trainer.report.tensorboard;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The scalars of a step as TensorBoard's Event (tensorboard/compat/proto/event.proto,
 * summary.proto) in the wire format of protocol buffers.
 *
 * @param wallTime seconds since 1970
 * @param step optimizer steps done
 * @param values by their tags, such as train/loss
 */
record ScalarEvent(double wallTime, long step, Map<String, Float> values) {
  /** The first event of every file says so. */
  private static final String VERSION = "brain.Event:2";

  // A field's key: its number, and in the three lowest bits the type of what follows.
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private static final int EVENT_WALL_TIME = (1 << 3) | FIXED64;
  private static final int EVENT_STEP = (2 << 3) | VARINT;
  private static final int EVENT_FILE_VERSION = (3 << 3) | BYTES;
  private static final int EVENT_SUMMARY = (5 << 3) | BYTES;
  private static final int SUMMARY_VALUE = (1 << 3) | BYTES;
  private static final int VALUE_TAG = (1 << 3) | BYTES;
  private static final int VALUE_SIMPLE_VALUE = (2 << 3) | FIXED32;

  ScalarEvent {
    values = new LinkedHashMap<>(values);
  }

  /** The event that a file begins with. */
  static byte[] version(double wallTime) {
    ByteArrayOutputStream event = new ByteArrayOutputStream();
    fixed64(event, EVENT_WALL_TIME, wallTime);
    bytes(event, EVENT_FILE_VERSION, VERSION.getBytes(StandardCharsets.UTF_8));
    return event.toByteArray();
  }

  byte[] encoded() {
    ByteArrayOutputStream summary = new ByteArrayOutputStream();
    values.forEach(
        (tag, number) -> {
          ByteArrayOutputStream value = new ByteArrayOutputStream();
          bytes(value, VALUE_TAG, tag.getBytes(StandardCharsets.UTF_8));
          value.write(VALUE_SIMPLE_VALUE);
          value.writeBytes(
              ByteBuffer.allocate(Float.BYTES)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .putFloat(number)
                  .array());
          bytes(summary, SUMMARY_VALUE, value.toByteArray());
        });
    ByteArrayOutputStream event = new ByteArrayOutputStream();
    fixed64(event, EVENT_WALL_TIME, wallTime);
    event.write(EVENT_STEP);
    varint(event, step);
    bytes(event, EVENT_SUMMARY, summary.toByteArray());
    return event.toByteArray();
  }

  /**
   * Reads what {@link #encoded} and {@link #version} give; the latter is an event of step 0 without
   * values.
   *
   * @throws RuntimeException of any kind if it is anything else
   */
  static ScalarEvent decoded(byte[] bytes) {
    ByteBuffer event = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    expect(event, EVENT_WALL_TIME);
    double wallTime = event.getDouble();
    if (event.get(event.position()) == EVENT_FILE_VERSION) {
      return new ScalarEvent(wallTime, 0, Map.of());
    }
    expect(event, EVENT_STEP);
    long step = varint(event);
    expect(event, EVENT_SUMMARY);
    ByteBuffer summary = message(event);
    Map<String, Float> values = new LinkedHashMap<>();
    while (summary.hasRemaining()) {
      expect(summary, SUMMARY_VALUE);
      ByteBuffer value = message(summary);
      expect(value, VALUE_TAG);
      String tag = StandardCharsets.UTF_8.decode(message(value)).toString();
      expect(value, VALUE_SIMPLE_VALUE);
      values.put(tag, value.getFloat());
    }
    return new ScalarEvent(wallTime, step, values);
  }

  private static void expect(ByteBuffer message, int key) {
    int found = message.get();
    if (found != key) {
      throw new IllegalArgumentException("no event of ours: field " + found + " instead of " + key);
    }
  }

  private static ByteBuffer message(ByteBuffer outer) {
    int length = (int) varint(outer);
    ByteBuffer inner = outer.slice(outer.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    outer.position(outer.position() + length);
    return inner;
  }

  private static void fixed64(ByteArrayOutputStream out, int key, double value) {
    out.write(key);
    out.writeBytes(
        ByteBuffer.allocate(Double.BYTES).order(ByteOrder.LITTLE_ENDIAN).putDouble(value).array());
  }

  private static void bytes(ByteArrayOutputStream out, int key, byte[] content) {
    out.write(key);
    varint(out, content.length);
    out.writeBytes(content);
  }

  /** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    while (rest >= 0x80) {
      out.write((int) ((rest & 0x7F) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    int shift = 0;
    byte next;
    do {
      next = in.get();
      value |= (long) (next & 0x7F) << shift;
      shift += 7;
    } while (next < 0);
    return value;
  }
}
