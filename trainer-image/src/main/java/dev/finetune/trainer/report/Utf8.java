package dev.finetune.trainer.report;

/** Text of a limited number of bytes. */
final class Utf8 {
  private Utf8() {}

  /** The longest beginning of a text that has at most so many bytes of UTF-8. */
  static String cut(String text, int bytes) {
    int room = bytes;
    int end = 0;
    while (end < text.length()) {
      int character = text.codePointAt(end);
      room -= length(character);
      if (room < 0) {
        break;
      }
      end += Character.charCount(character);
    }
    return text.substring(0, end);
  }

  private static int length(int character) {
    if (character < 0x80) {
      return 1;
    }
    if (character < 0x800) {
      return 2;
    }
    return character < 0x10000 ? 3 : 4;
  }
}
