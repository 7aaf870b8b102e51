package dev.finetune.trainer.data;

import dev.finetune.trainer.TrainerException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Where the pictures lie that rows name.
 *
 * @param folder folder of relative paths; null: that of the row's file
 * @param files where a pvc:// or file:// source lies on this machine
 */
record PictureFolder(Path folder, Function<String, Path> files) {
  private static final Pattern URL = Pattern.compile("(data:|[a-z][a-z0-9+.-]*://).*");
  private static final Pattern SOURCE = Pattern.compile("(pvc|file)://.*");

  /**
   * The file of a picture, which needn't be there.
   *
   * @param name what the row calls it
   * @param rows the row's file
   * @throws RowFault if it is a URL, or no path
   */
  Path find(String name, Path rows) throws RowFault {
    // A data: URL may hold a whole picture.
    String shown = name.length() > 100 ? name.substring(0, 100) + "..." : name;
    String start = shown.toLowerCase(Locale.ROOT).lines().findFirst().orElse("");
    try {
      if (SOURCE.matcher(start).matches()) {
        return files.apply(name);
      } else if (URL.matcher(start).matches()) {
        throw new RowFault(
            "the picture "
                + shown
                + " is a URL; download the pictures and name their files, relative to"
                + " dataset.imageFolder or to the row's file");
      }
      Path base = folder == null ? rows.toAbsolutePath().getParent() : folder;
      return base.resolve(name).normalize();
    } catch (TrainerException e) {
      throw new RowFault("the picture " + e.getMessage());
    } catch (InvalidPathException e) {
      throw new RowFault("the picture " + shown + " is no path: " + e.getReason());
    }
  }
}
