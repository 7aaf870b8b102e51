package dev.finetune.operator;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/compatibility.md names no test that isn't there. */
class CompatibilityTableTest {
  private static final Path ROOT = Path.of("..");
  private static final Path TABLE = ROOT.resolve("docs/compatibility.md");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d+) \\|.*\\|$");
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT|E2E|Check))\\.(\\w+)`");

  @Test
  void everyComplaintHasARowWithATestOrAReason() throws IOException {
    List<String> rows = matches(ROW, Files.readString(TABLE)).map(MatchResult::group).toList();

    assertThat(rows)
        .extracting(row -> Integer.valueOf(row.split("\\|", -1)[1].strip()))
        .containsExactlyElementsOf(IntStream.rangeClosed(1, 38).boxed().toList());
    assertThat(rows)
        .allSatisfy(
            row -> assertThat(row).containsPattern(TEST + "|can't happen|measured in|open: "));
  }

  @Test
  void everyTestThatATableNamesExists() throws IOException {
    Map<String, Path> classes = testClasses();
    List<MatchResult> named = matches(TEST, Files.readString(TABLE)).toList();

    assertThat(named)
        .isNotEmpty()
        .allSatisfy(
            test -> {
              assertThat(classes).as("test classes").containsKey(test.group(1));
              assertThat(classes.get(test.group(1)))
                  .content()
                  .containsPattern("(?:void|Stream<DynamicTest>) " + test.group(2) + "\\(");
            });
  }

  private static Map<String, Path> testClasses() throws IOException {
    try (Stream<Path> modules = Files.list(ROOT)) {
      return modules
          .map(module -> module.resolve("src/test/java"))
          .filter(Files::isDirectory)
          .flatMap(CompatibilityTableTest::sources)
          .collect(
              toMap(
                  file -> file.getFileName().toString().replace(".java", ""),
                  file -> file,
                  (one, other) -> one));
    }
  }

  private static Stream<Path> sources(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<MatchResult> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results();
  }
}
