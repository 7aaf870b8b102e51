package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.trainer.data.ChatTemplate;
import dev.finetune.trainer.data.ConversationForm;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InferTest {
  private static final Path BASE = GoldenFiles.base("tiny-llama");
  private static final String ROW =
      "{\"instruction\": \"What is the capital of France?\", \"output\": \"Paris.\"}\n";

  @TempDir Path folder;

  @Test
  void eachRowIsAnsweredAsItsPromptAloneIs() throws IOException {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, ROW + "{\"instruction\": \"Name a colour.\", \"output\": \"Blue.\"}\n");
    Path results = folder.resolve("results.jsonl");

    // Drawn with one seed, the same words of the same prompt.
    Program batch =
        infer(
            "--temperature",
            "1.5",
            "--dataset",
            rows.toString(),
            "--result_path",
            results.toString());
    Program single = infer("--temperature", "1.5", "--prompt", "Name a colour.");

    assertThat(batch.err()).isEmpty();
    assertThat(batch.code()).isZero();
    List<JsonNode> lines = lines(results);
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0).path("label").asText()).isEqualTo("Paris.");
    assertThat(lines.get(1).path("row").asText()).isEqualTo(rows + ":2");
    assertThat(lines.get(1).path("prompt").path(0).path("content").asText())
        .isEqualTo("Name a colour.");
    assertThat(lines.get(1).path("response").asText() + "\n").isEqualTo(single.out());
  }

  @Test
  void aRowThatCantBeAnsweredIsNamedAndTheOthersAreAnswered() throws IOException {
    Path rows = folder.resolve("rows.jsonl");
    String endless = "one two three four five six seven eight nine ten ".repeat(100);
    Files.writeString(
        rows,
        ROW
            + "{\"instruction\": \"%s\", \"output\": \"x\"}\n".formatted(endless)
            + "{\"instruction\": \"Say nothing.\", \"output\": \"\"}\n"
            + ROW);
    Path results = folder.resolve("results.jsonl");

    Program end = infer("--dataset", rows.toString(), "--result_path", results.toString());

    assertThat(end.code()).isEqualTo(65);
    assertThat(end.err())
        .contains("2 faults", "rows.jsonl:2", "leave room in the model's 512", "rows.jsonl:3");
    assertThat(lines(results))
        .extracting(line -> line.path("row").asText())
        .containsExactly(rows + ":1", rows + ":4");
  }

  @Test
  void theLogitsOfAPromptAreThoseThatItsAnswerBeginsWith() throws IOException {
    Path file = folder.resolve("logits.safetensors");

    Program end = infer("--prompt", "Who are you?", "--logits", file.toString());

    assertThat(end.code()).as(end.err()).isZero();
    Map<String, HostTensor> tensors = SafetensorsReader.read(file);
    assertThat(tensors).containsOnlyKeys("ids.0", "logits.0");
    long tokens = tensors.get("ids.0").shape()[0];
    assertThat(tensors.get("logits.0").shape()).startsWith(tokens).hasSize(2);
    assertThat(infer("--prompt", "Who are you?", "--logits", file.toString()).code()).isEqualTo(73);
    assertThat(infer("--logits", "other").err()).contains("--logits needs a --prompt");
  }

  @Test
  void resultsThatAreThereAreNotWrittenOver() throws IOException {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, ROW);
    Path results = Files.writeString(folder.resolve("results.jsonl"), "mine");

    Program end = infer("--dataset", rows.toString(), "--result_path", results.toString());

    assertThat(end.code()).isEqualTo(73);
    assertThat(results).hasContent("mine");
  }

  @Test
  void withoutAModelOrCheckpointItSaysWhatToGive() {
    Program end = Program.run("infer", "--prompt", "Hello");

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("--model", "--ckpt_dir");
  }

  @Test
  void aMergedModelAnswersAsBaseAndAdapterDo() {
    Path adapter = GoldenFiles.FOLDER.resolve("tiny-llama/lora/final");
    Path merged = folder.resolve("merged");
    String[] export = {
      "export",
      "--model",
      BASE.toString(),
      "--ckpt_dir",
      adapter.toString(),
      "--merge_lora",
      "true",
      "--output",
      merged.toString()
    };

    Program done = Program.run(export);
    Program again = Program.run(export);

    assertThat(done.err()).isEmpty();
    assertThat(done.out()).contains("the merged model is at " + merged, "logits differ");
    assertThat(again.code()).isEqualTo(64);
    assertThat(again.err()).contains("is there already");
    Program whole =
        Program.run(
            "infer", "--ckpt_dir", merged.toString(), "--prompt", "Hi", "--max_new_tokens", "12");
    assertThat(whole.out())
        .isEqualTo(infer("--adapter", adapter.toString(), "--prompt", "Hi").out());
    assertThat(whole.out()).isNotEqualTo(infer("--prompt", "Hi").out());
  }

  @Test
  void anAdapterWhoseBaseIsElsewhereAsksForIt() {
    Path adapter = GoldenFiles.FOLDER.resolve("tiny-llama/lora/final");

    Program end = Program.run("export", "--adapter", adapter.toString());

    assertThat(end.code()).isEqualTo(64);
    assertThat(end.err()).contains("which is no folder here", "--model");
  }

  @Test
  void aConversationRemembersItsTurnsUntilItIsCleared() {
    String first = talk("Hello\n");
    String secondTurn = talk("Hello\nHello\n").substring(first.length());
    String cleared = talk("Hello\n/clear\nHello\n/exit\nnot answered\n");

    // The same words as a second turn are another prompt.
    assertThat(secondTurn).isNotEqualTo(first);
    assertThat(cleared).isEqualTo(first + first);
  }

  @Test
  void aConversationThatFillsThePositionsCanBegunAnew() {
    String said = talk("word ".repeat(600) + "\nHello\n");

    assertThat(said)
        .startsWith("the prompt has")
        .contains("/clear begins")
        .endsWith(talk("Hello\n"));
  }

  @Test
  void anAnswerEndsWithTheTemplatesEndOfTurn() {
    try (Tokenizer tokenizer = Tokenizer.load(BASE)) {
      ChatTemplate chatML = ChatTemplate.load(BASE, ChatTemplateName.CHATML, Clock.systemUTC());
      int end = tokenizer.encode("<|im_end|>")[0];
      assertThat(tokenizer.encode("<|im_end|>")).hasSize(1);
      assertThat(tokenizer.stopIds(chatML)).contains(end).containsAll(tokenizer.stopIds());
    }
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(GoldenFiles.JSON.readTree(line));
    }
    return lines;
  }

  private static String talk(String input) {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    GracefulStop stop = new GracefulStop();
    try (Tokenizer tokenizer = Tokenizer.load(BASE);
        CausalLm base = CausalLm.load(ModelFolder.open(BASE), "cpu", Precision.AUTO);
        TextGenerator generator = TextGenerator.of(base)) {
      ConversationForm form =
          ConversationForm.load(
              BASE,
              ChatTemplateName.AUTO,
              Clock.systemUTC(),
              tokenizer,
              Optional.empty(),
              /* systemPrompt= */ null);
      Responder responder =
          new Responder(
              form, tokenizer, generator, SamplingOptions.greedy(8, form.stopIds()), stop);
      InputLines lines =
          new InputLines(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), stop);
      new ChatSession(responder, null, List.of(), true, false, out).run(lines::next);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  private static Program infer(String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("infer", "--model", BASE.toString(), "--max_new_tokens", "12"));
    arguments.addAll(List.of(more));
    return Program.run(arguments.toArray(String[]::new));
  }
}
