package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.RecipeFixture;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A data set that doesn't fit into the heap, neither as text nor as tokens. */
class LargerThanMemoryTest {
  private static final Path MODEL = Path.of("src/test/resources/golden/tiny-llama/base");
  private static final int HEAP_MEBIBYTES = 16;
  private static final int ROWS = 6_000;

  @TempDir Path folder;

  @Test
  void isReadAndTokenisedInAHeapThatIsSmallerThanIt() throws Exception {
    Path file = folder.resolve("rows.jsonl");
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      for (int i = 0; i < ROWS; i++) {
        out.write(
            "{\"text\": \"%d %s\"}\n".formatted(i, "The water is in the house. ".repeat(110)));
      }
    }
    assertThat(Files.size(file)).isGreaterThan(HEAP_MEBIBYTES << 20);

    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + HEAP_MEBIBYTES + "m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(child.waitFor()).as(said).isZero();
    String[] numbers = said.strip().lines().reduce((a, b) -> b).orElseThrow().split(" ", -1);
    assertThat(Integer.parseInt(numbers[0])).isEqualTo(ROWS);
    assertThat(Long.parseLong(numbers[1]) * Integer.BYTES).isGreaterThan(HEAP_MEBIBYTES << 20);
    assertThat(numbers[2]).isEqualTo("5999");
  }

  /** Prints the number of rows, of tokens, and how the last row begins. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException {
      Map<String, Object> source = Map.of("source", "file://" + arguments[0]);
      var recipe =
          RecipeFixture.of(
              Map.of(
                  "dataset.train", List.of(source),
                  "dataset.validation.fraction", 0,
                  "training.maxLength", 4096));
      TrainingOptions training = recipe.training();
      try (Tokenizer tokenizer = Tokenizer.load(MODEL)) {
        PreparedDataset data =
            new DatasetPreparation(
                    () -> {
                      throw new AssertionError("a text needs no template");
                    },
                    tokenizer,
                    RowPictures.none(),
                    null,
                    any -> Path.of(arguments[0]))
                .prepare(recipe.dataset(), training);
        long tokens = 0;
        for (TokenizedExample row : data.train()) {
          tokens += row.length();
        }
        TokenizedExample last = data.train().get(data.train().size() - 1);
        String text = tokenizer.decode(last.inputIds(), true);
        System.out.printf("%d %d %s%n", data.train().size(), tokens, text.split(" ", -1)[0]);
      }
    }
  }
}
