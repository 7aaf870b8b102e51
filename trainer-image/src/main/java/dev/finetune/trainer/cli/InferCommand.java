package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.ConversationForm;
import dev.finetune.trainer.data.PromptRow;
import dev.finetune.trainer.data.PromptRows;
import dev.finetune.trainer.data.RowPictures;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.method.SavedAdapter;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.PictureInput;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.picture.Tiling;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
      paramLabel = "DIR",
      description =
          "The base model, a folder in Hugging Face's layout. Default: what --ckpt_dir is, or names.")
  private String model;

  @Option(
      names = {"--adapter", "--adapters", "--ckpt_dir"},
      paramLabel = "DIR",
      description =
          "An adapter that sft wrote, or one in PEFT's format, or a merged model; the base model answers"
              + " without one.")
  private String adapter;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "What the user says; given several times, each is a conversation of its own.")
  private List<String> prompts = List.of();

  @Option(
      names = {"--image", "--images"},
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Pictures of each --prompt, or of the conversation's first turn: where it has <image>, or in"
              + " front of it.")
  private List<Path> images = List.of();

  @Option(
      names = {"--max_tiles", "--max_dynamic_patch"},
      paramLabel = "N",
      description =
          "Tiles that a picture is cut into at most, beside the thumbnail. Default: as the model's"
              + " configuration has it.")
  private Integer maxTiles;

  @Option(
      names = {"--dataset", "--val_dataset"},
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Rows to answer, in any of sft's formats; a JSON line with prompt, response and label each."
              + " A row that can't be answered is named at the end. Without --prompt and --dataset the"
              + " lines of the standard input are a conversation.")
  private List<String> datasets = List.of();

  @Option(
      names = {"--result_path", "--result"},
      paramLabel = "FILE",
      description = "Where the JSON lines go; nothing may be there. Default: the standard output.")
  private Path resultPath;

  @Option(
      names = "--stream",
      arity = "0..1",
      fallbackValue = "true",
      defaultValue = "true",
      paramLabel = "true|false",
      description = "Print an answer as it comes. Default ${DEFAULT-VALUE}.")
  private boolean stream;

  @Option(names = "--system", paramLabel = "TEXT", description = "The system turn before it.")
  private String system;

  @Option(
      names = {"--template", "--template_type"},
      paramLabel = "NAME",
      defaultValue = "auto",
      description =
          "The chat template: auto takes the model's own, or chatml, llama3, zephyr, internvl2,"
              + " internvl2_5. Default auto.")
  private String template;

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

  @Option(
      names = "--logits",
      paramLabel = "FILE",
      description =
          "Instead of answers, write ids.N (T) and logits.N (T, V) of the N-th --prompt, from 0, into"
              + " a safetensors file, to compare them with another program's.")
  private Path logitsFile;

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
    ProgramEnd end = ProgramEnd.after(this::answer);
    return new LastWords(spec.commandLine().getErr(), debug, Optional.empty()).say(end);
  }

  private String answer() {
    Locations locations = new Locations(environment.volumes());
    Optional<Path> tuned =
        Optional.ofNullable(adapter).map(dir -> locations.resolve(Locations.sourceOf(dir)));
    Optional<SavedAdapter> loaded = tuned.filter(AdapterBase::isAdapter).map(SavedAdapter::load);
    Path folder = folder(locations, tuned);
    ModelFolder checked = ModelFolder.open(folder);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      Optional<Tiling> tiling = tiling(folder);
      Clock clock = Clock.system(ZoneId.systemDefault());
      ConversationForm form =
          ConversationForm.load(
              folder, ModelFlags.templateNamed(template), clock, tokenizer, tiling, system);
      SamplingOptions options = options(form.stopIds());
      RowPictures pictures = RowPictures.fromFiles(tiling);
      try (CausalLm base =
              CausalLm.load(checked, Devices.ofThisProcess().visible().get(0), Precision.AUTO);
          TextGenerator generator =
              loaded.map(each -> each.on(base)).orElseGet(() -> TextGenerator.of(base))) {
        return answer(
            new Responder(form, tokenizer, generator, options, stop), pictures, locations);
      }
    }
  }

  private Optional<Tiling> tiling(Path folder) {
    if (maxTiles != null && maxTiles < 1) {
      throw new TrainerException(TrainerExit.USAGE, "--max_tiles must be at least 1");
    }
    return PictureInput.of(folder, maxTiles);
  }

  /** The model's folder: --model, or what --ckpt_dir is or names. */
  private Path folder(Locations locations, Optional<Path> tuned) {
    if (model != null) {
      if (tuned.isPresent() && !AdapterBase.isAdapter(tuned.get())) {
        throw new TrainerException(
            TrainerExit.USAGE,
            "%s is no adapter, as it has no adapter_config.json; give a complete model with --model alone"
                .formatted(tuned.get()));
      }
      return locations.resolve(Locations.sourceOf(model));
    }
    Path dir =
        tuned.orElseThrow(
            () ->
                new TrainerException(
                    TrainerExit.USAGE, "give the model's folder with --model, or --ckpt_dir"));
    return AdapterBase.isAdapter(dir) ? AdapterBase.of(dir) : dir;
  }

  /** Does what was asked for and says so in a sentence. */
  private String answer(Responder responder, RowPictures opener, Locations locations) {
    if (!datasets.isEmpty()) {
      return answerRows(responder, opener, locations);
    }
    List<Picture> pictures = opener.open(images);
    if (logitsFile != null) {
      return writeLogits(responder, pictures);
    }
    if (prompts.isEmpty()) {
      InputLines lines = new InputLines(System.in, stop);
      new ChatSession(responder, system, pictures, stream, Terminal.isStandardOutput(), out)
          .run(lines::next);
      return "the conversation is over";
    }
    for (String prompt : prompts) {
      if (prompts.size() > 1) {
        out.println("> " + prompt);
      }
      new ChatSession(responder, system, pictures, stream, false, out).say(prompt);
    }
    return "answered";
  }

  private String writeLogits(Responder responder, List<Picture> pictures) {
    if (prompts.isEmpty()) {
      throw new TrainerException(TrainerExit.USAGE, "--logits needs a --prompt");
    }
    new LogitsFile(logitsFile).write(responder, system, prompts, pictures);
    return "the logits of %d prompts are in %s".formatted(prompts.size(), logitsFile);
  }

  private String answerRows(Responder responder, RowPictures pictures, Locations locations) {
    PromptRows rows = new PromptRows(system, pictures, locations::resolve);
    List<PromptRow> read = new ArrayList<>();
    for (String dataset : datasets) {
      String source = Locations.sourceOf(dataset);
      read.addAll(rows.read(source, locations.resolve(source)));
    }
    int answered;
    try (PrintStream results = results()) {
      answered = new BatchAnswers(responder, rows, results).answer(read);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "%s can't be written: %s; name a file that isn't there"
              .formatted(resultPath, FileErrors.describe(e)),
          e);
    }
    rows.throwIfAnyFailed();
    return answered + " rows answered";
  }

  private PrintStream results() throws IOException {
    if (resultPath == null) {
      // It stays open when this one is closed.
      return new PrintStream(
          new FilterOutputStream(out) {
            @Override
            public void close() throws IOException {
              flush();
            }
          },
          true,
          StandardCharsets.UTF_8);
    }
    return new PrintStream(
        Files.newOutputStream(resultPath, StandardOpenOption.CREATE_NEW),
        true,
        StandardCharsets.UTF_8);
  }

  private SamplingOptions options(Set<Integer> stopIds) {
    try {
      return new SamplingOptions(maxNewTokens, temperature, topK, topP, seed, stopIds);
    } catch (IllegalArgumentException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "--max_new_tokens must be at least 1, --temperature and --top_k at least 0, --top_p above"
              + " 0 and at most 1",
          e);
    }
  }
}
