package dev.finetune.trainer.placement;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes of memory as ms-swift takes them: 15GB is 15 * 10^9 bytes, 15GiB is 15 * 2^30. */
public final class ByteSize {
  private static final Pattern SIZE =
      Pattern.compile("([0-9]+(?:\\.[0-9]+)?) ?([KMGT]i?B)", Pattern.CASE_INSENSITIVE);

  private static final Map<Character, Integer> POWERS = Map.of('K', 1, 'M', 2, 'G', 3, 'T', 4);

  private static final BigDecimal MOST = BigDecimal.valueOf(Long.MAX_VALUE);

  private static final double GIB = 1L << 30;

  private ByteSize() {}

  /**
   * Reads a size.
   *
   * @param text a number with KB, MB, GB, TB, KiB, MiB, GiB or TiB; the unit's case but that of its
   *     B is free
   * @return bytes, above 0
   * @throws TrainerException with {@link TrainerExit#USAGE} if it is none
   */
  public static long parse(String text) {
    Matcher size = SIZE.matcher(text.strip());
    if (!size.matches()) {
      throw invalid(text, "is no size; it must be a number with a unit, such as 15GB or 14.5GiB");
    }
    if (size.group(2).endsWith("b")) {
      throw invalid(text, "ends in a small b, which is bits to some; write " + upper(text));
    }
    String unit = upper(size.group(2));
    BigDecimal base = BigDecimal.valueOf(unit.contains("I") ? 1024 : 1000);
    BigDecimal bytes = new BigDecimal(size.group(1)).multiply(base.pow(POWERS.get(unit.charAt(0))));
    long whole = bytes.setScale(0, RoundingMode.FLOOR).min(MOST).longValue();
    if (whole < 1) {
      throw invalid(text, "must be above 0");
    }
    return whole;
  }

  private static String upper(String text) {
    return text.strip().toUpperCase(Locale.ROOT);
  }

  private static TrainerException invalid(String text, String what) {
    return new TrainerException(TrainerExit.USAGE, "'%s' %s".formatted(text, what));
  }

  /** In GiB, such as 13.97 GiB. */
  public static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.2f GiB", bytes / GIB);
  }
}
