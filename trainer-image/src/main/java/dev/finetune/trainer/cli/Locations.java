package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;

/** Where the recipe's sources lie on this machine. */
final class Locations {
  private static final String CLAIM = "pvc://";
  private static final String FILE = "file://";

  private final Path volumes;

  /**
   * Resolves against a folder of volumes.
   *
   * @param volumes folder in which each claim is mounted by its name
   */
  Locations(Path volumes) {
    this.volumes = volumes;
  }

  /**
   * The path of a source: pvc://CLAIM/PATH lies in the claim's folder, file:///PATH is PATH.
   *
   * @throws TrainerException USAGE if it leaves its claim or is of another form
   */
  Path resolve(String source) {
    if (source.startsWith(CLAIM)) {
      return inClaim(source);
    }
    if (source.startsWith(FILE)) {
      return file(source);
    }
    throw new TrainerException(
        TrainerExit.USAGE, source + " isn't of the form pvc://CLAIM/PATH or file:///PATH");
  }

  private Path inClaim(String source) {
    String rest = source.substring(CLAIM.length());
    int slash = rest.indexOf('/');
    Path claim = volumes.resolve(slash < 0 ? rest : rest.substring(0, slash)).normalize();
    String inside = slash < 0 ? "" : rest.substring(slash).replaceFirst("^/+", "");
    Path path = claim.resolve(inside).normalize();
    if (!path.startsWith(claim)) {
      throw new TrainerException(TrainerExit.USAGE, source + " leads out of its claim");
    }
    return path;
  }

  /** A URI's escapes are undone; what isn't a valid URI, a stray % for one, is taken as it is. */
  private static Path file(String source) {
    try {
      return Path.of(URI.create(source));
    } catch (IllegalArgumentException e) {
      return Path.of(source.substring(FILE.length()));
    }
  }

  /** A source as the command line takes it: a URI stays, a plain path becomes file:///PATH. */
  static String sourceOf(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.startsWith(CLAIM) || lower.startsWith(FILE)) {
      return text;
    }
    Path path = Path.of(text).toAbsolutePath().normalize();
    String plain = FILE + path;
    boolean needsEscapes = plain.chars().anyMatch(c -> Character.isWhitespace(c) || c == '%');
    return needsEscapes ? FILE + path.toUri().getRawPath() : plain;
  }

  /** What a message adds about a claim that isn't mounted. */
  String describe(String source) {
    return source.startsWith(CLAIM)
        ? "%s (%s; claims lie in %s, set %s for another folder)"
            .formatted(source, resolve(source), volumes, TrainerEnvironment.VOLUMES)
        : source;
  }
}
