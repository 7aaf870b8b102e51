package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.ChatTemplate;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.method.SavedAdapter;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trainer infer}: answers prompts with a base model, or with an adapter on it. */
@Command(
    name = "infer",
    description = "Answers prompts with a base model, or with an adapter on it.",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class InferCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = {"--model", "--model_id_or_path"},
      required = true,
      paramLabel = "DIR",
      description = "The base model, a folder in Hugging Face's layout.")
  private String model;

  @Option(
      names = {"--adapter", "--adapters", "--ckpt_dir"},
      paramLabel = "DIR",
      description =
          "An adapter that sft wrote, or one in PEFT's format; the base model answers without one.")
  private String adapter;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "What the user says; given several times, each is a conversation of its own.")
  private List<String> prompts;

  @Option(names = "--system", paramLabel = "TEXT", description = "The system turn before it.")
  private String system;

  @Option(
      names = {"--template", "--template_type"},
      paramLabel = "NAME",
      defaultValue = "AUTO",
      description =
          "The chat template: Auto takes the tokenizer's own, or ChatML, Llama3, Zephyr. Default"
              + " Auto.")
  private ChatTemplateName template;

  @Option(
      names = "--max_new_tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "Most tokens of an answer, at least 1. Default ${DEFAULT-VALUE}.")
  private int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description =
          "Divides the logits before a token is drawn; 0 takes the most likely. Default"
              + " ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top_k",
      paramLabel = "N",
      defaultValue = "0",
      description = "Draw among the N most likely tokens; 0 among all. Default ${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = "--top_p",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw among the fewest tokens that together have this probability, above 0 to 1. Default"
              + " ${DEFAULT-VALUE}.")
  private double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Seed of the draws. Default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(names = "--debug", description = "Print the trace of every error.")
  private boolean debug;

  private final GracefulStop stop;
  private final Environment environment;
  private final PrintStream out;

  InferCommand(GracefulStop stop, Environment environment, PrintStream out) {
    this.stop = stop;
    this.environment = environment;
    this.out = out;
  }

  @Override
  public Integer call() {
    ProgramEnd end;
    try {
      answer();
      end = ProgramEnd.done("answered");
    } catch (Throwable thrown) {
      // Whatever it is, the exit code must say so.
      end = ProgramEnd.of(thrown);
    }
    return new LastWords(spec.commandLine().getErr(), debug, Optional.empty()).say(end);
  }

  private void answer() {
    Locations locations = new Locations(environment.volumes());
    Path folder = locations.resolve(Locations.sourceOf(model));
    ModelFolder checked = ModelFolder.open(folder);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      ChatTemplate chat = ChatTemplate.load(folder, template, Clock.system(ZoneId.systemDefault()));
      SamplingOptions options = options(tokenizer);
      Optional<SavedAdapter> tuned =
          Optional.ofNullable(adapter)
              .map(dir -> SavedAdapter.load(locations.resolve(Locations.sourceOf(dir))));
      try (CausalLm base =
              CausalLm.load(checked, Devices.ofThisProcess().visible().get(0), Precision.AUTO);
          TextGenerator generator =
              tuned.map(each -> each.on(base)).orElseGet(() -> TextGenerator.of(base))) {
        for (String prompt : prompts) {
          answer(prompt, chat, tokenizer, generator, options);
        }
      }
    }
  }

  private SamplingOptions options(Tokenizer tokenizer) {
    try {
      return new SamplingOptions(maxNewTokens, temperature, topK, topP, seed, tokenizer.stopIds());
    } catch (IllegalArgumentException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "--max_new_tokens must be at least 1, --temperature and --top_k at least 0, --top_p above"
              + " 0 and at most 1",
          e);
    }
  }

  private void answer(
      String prompt,
      ChatTemplate chat,
      Tokenizer tokenizer,
      TextGenerator generator,
      SamplingOptions options) {
    List<Message> messages = new ArrayList<>();
    if (system != null) {
      messages.add(new Message("system", system));
    }
    messages.add(new Message("user", prompt));
    if (prompts.size() > 1) {
      out.println("> " + prompt);
    }
    StreamedText text = new StreamedText(ids -> tokenizer.decode(ids, true), out);
    generator.generate(
        tokenizer.encode(chat.render(messages, true)),
        options,
        token -> {
          stop.check();
          text.add(token);
        });
    text.end();
  }
}
