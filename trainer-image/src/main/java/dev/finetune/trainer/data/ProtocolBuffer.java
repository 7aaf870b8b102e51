package dev.finetune.trainer.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The fields of a message of protocol buffers, one after another. A message that is broken makes
 * any method throw a RuntimeException.
 */
final class ProtocolBuffer {
  // A field's key is its number, and in the three lowest bits the type of what follows.
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private static final int MOST_VARINT_BITS = 64;

  private final ByteBuffer rest;
  private int field;
  private long number;
  private ByteBuffer bytes;

  ProtocolBuffer(ByteBuffer message) {
    this.rest = message.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Goes to the next field; false behind the last. */
  boolean next() {
    if (!rest.hasRemaining()) {
      return false;
    }
    long key = varint();
    field = Math.toIntExact(key >>> 3);
    bytes = null;
    switch ((int) (key & 7)) {
      case VARINT -> number = varint();
      case FIXED64 -> number = rest.getLong();
      case FIXED32 -> number = rest.getInt();
      case BYTES -> {
        int length = Math.toIntExact(varint());
        bytes = rest.slice(rest.position(), length);
        rest.position(rest.position() + length);
      }
      default -> throw new IllegalArgumentException("unknown type of the field " + field);
    }
    return true;
  }

  /** The field's number. */
  int field() {
    return field;
  }

  /** A field of the type int32 or an enum. */
  int number() {
    return (int) number;
  }

  boolean flag() {
    return number != 0;
  }

  float real() {
    return Float.intBitsToFloat((int) number);
  }

  byte[] bytes() {
    ByteBuffer content = content();
    byte[] copy = new byte[content.remaining()];
    content.get(copy);
    return copy;
  }

  String text() {
    return StandardCharsets.UTF_8.decode(content()).toString();
  }

  ProtocolBuffer message() {
    return new ProtocolBuffer(content());
  }

  private ByteBuffer content() {
    if (bytes == null) {
      throw new IllegalArgumentException("the field " + field + " is a number");
    }
    return bytes.duplicate();
  }

  /** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
  private long varint() {
    long value = 0;
    for (int shift = 0; shift < MOST_VARINT_BITS; shift += 7) {
      byte next = rest.get();
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number of more than ten bytes");
  }
}
