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
    List<MatchResult> rows = matches(ROW, Files.readString(TABLE)).toList();

    assertThat(rows)
        .extracting(row -> Integer.valueOf(row.group(1)))
        .containsExactlyElementsOf(IntStream.rangeClosed(1, 68).boxed().toList());
    assertThat(rows)
        .extracting(MatchResult::group)
        .allSatisfy(row -> assertThat(row).containsPattern(TEST + "|can't happen|open: "));
  }

  @Test
  void everyTestThatATableNamesExists() throws IOException {
    Map<String, Path> classes = testClasses();

    assertThat(matches(TEST, Files.readString(TABLE)).toList())
        .isNotEmpty()
        .filteredOn(test -> !exists(classes.get(test.group(1)), test.group(2)))
        .extracting(MatchResult::group)
        .as("tests that are not there")
        .isEmpty();
  }

  private static boolean exists(Path testClass, String method) {
    try {
      return testClass != null
          && Pattern.compile("(?:void|Stream<DynamicTest>) " + method + "\\(")
              .matcher(Files.readString(testClass))
              .find();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
