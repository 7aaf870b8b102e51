package dev.finetune.trainer.report.plot;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** The usual 5 x 7 dot matrix of digits, small letters and what else a plot's labels need. */
final class PixelFont {
  static final int WIDTH = 5;
  static final int HEIGHT = 8;

  /** From the beginning of one character to that of the next. */
  static final int ADVANCE = WIDTH + 1;

  /** A byte for each column, its lowest bit on top. */
  private static final Map<Character, byte[]> GLYPHS = new HashMap<>();

  static {
    String[] glyphs = {
      "0 3e5149453e", "1 00427f4000", "2 7249494946", "3 2141494d33", "4 1814127f10",
      "5 2745454539", "6 3c4a494931", "7 4121110907", "8 3649494936", "9 464949291e",
      "a 2054547840", "b 7f28444438", "c 3844444428", "d 384444287f", "e 3854545418",
      "f 00087e0902", "g 18a4a49c78", "h 7f08040478", "i 00447d4000", "j 2040403d00",
      "k 7f10284400", "l 00417f4000", "m 7c04780478", "n 7c08040478", "o 3844444438",
      "p fc18242418", "q 18242418fc", "r 7c08040408", "s 4854545424", "t 04043f4424",
      "u 3c4040207c", "v 1c2040201c", "w 3c4030403c", "x 4428102844", "y 4c9090907c",
      "z 4464544c44", ". 0000606000", "- 0808080808", "+ 08083e0808", "/ 2010080402",
      "_ 4040404040", "( 001c224100", ") 0041221c00",
    };
    for (String glyph : glyphs) {
      GLYPHS.put(glyph.charAt(0), HexFormat.of().parseHex(glyph.substring(2)));
    }
  }

  private PixelFont() {}

  /**
   * Whether a dot of a character is set.
   *
   * @param column from 0 to {@link #WIDTH} - 1
   * @param row from 0, the top, to {@link #HEIGHT} - 1
   */
  static boolean isSet(char character, int column, int row) {
    byte[] columns = GLYPHS.get(character);
    return columns != null && ((columns[column] >> row) & 1) == 1;
  }
}
