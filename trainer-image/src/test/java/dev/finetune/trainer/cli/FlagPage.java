package dev.finetune.trainer.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The page of ms-swift's flags, docs/reference/flags.md, from the tables that the trainer reads.
 */
public final class FlagPage {
  static final Path FILE = Path.of("docs", "reference", "flags.md");
  static final String COMMAND = "mvn -pl trainer-image -am -Pgenerate process-test-classes";

  private static final String HEAD =
      """
      # Flags of `trainer sft`

      <!-- Generated; to write it again: %s -->

      `trainer sft` takes the flags of `swift sft`, by the names of ms-swift 2.x and 3.x. Each is applied, or taken because what it
      asks for is so in any case (the run says at its start what holds), or refused by name with what to use instead. A name that
      isn't known is an error that names the nearest one. `--lora-rank` and `--lora_rank` are one flag, and so are `--flag value`
      and `--flag=value`.

      Of a model for pictures the language model and the projector train, as in ms-swift 2.x; in 3.x the projector does only with
      `--freeze_aligner false`. The tiles of a picture, which ms-swift bounds by the environment's `MAX_NUM`, are `--max_tiles` here.

      """
          .formatted(COMMAND);

  private FlagPage() {}

  static String text() {
    return HEAD + applied() + "\n" + noted() + "\n" + refused();
  }

  private static String applied() {
    return table(
        "Applied",
        List.of("flag", "field of the recipe"),
        Stream.concat(Stream.of(MethodFlags.METHOD), RecipeFlags.ALL.stream())
            .map(flag -> List.of(names(flag.names()), "`" + flag.path() + "`")));
  }

  private static String noted() {
    return table(
        "Taken",
        List.of("flag", "values", "what holds"),
        NotedFlags.ALL.stream()
            .map(flag -> List.of(names(flag.names()), words(flag), flag.note())));
  }

  private static String words(NotedFlag flag) {
    return flag.words().isEmpty()
        ? "any"
        : flag.words().stream().filter(word -> !word.isEmpty()).sorted().collect(joined());
  }

  private static String refused() {
    return table(
        "Refused",
        List.of("flag", "what to use"),
        Stream.concat(
                UnservedFlags.families().entrySet().stream()
                    .map(family -> Map.entry(family.getKey() + "...", family.getValue())),
                UnservedFlags.names().stream()
                    .map(name -> Map.entry(name, UnservedFlags.adviceFor(name).orElseThrow())))
            .sorted(Map.Entry.comparingByKey())
            .map(flag -> List.of("`" + flag.getKey() + "`", flag.getValue())));
  }

  private static String names(List<String> names) {
    return names.stream().map(name -> "`" + name + "`").collect(joined());
  }

  private static Collector<CharSequence, ?, String> joined() {
    return Collectors.joining(", ");
  }

  private static String table(String title, List<String> columns, Stream<List<String>> rows) {
    return "## %s\n\n%s%s%s"
        .formatted(
            title,
            row(columns),
            row(columns.stream().map(column -> "---").toList()),
            rows.map(FlagPage::row).collect(Collectors.joining()));
  }

  private static String row(List<String> cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }

  /** Writes the page below the root that is given; run by the Maven profile generate. */
  public static void main(String[] args) throws IOException {
    Files.writeString(Path.of(args[0]).resolve(FILE), text());
  }
}
