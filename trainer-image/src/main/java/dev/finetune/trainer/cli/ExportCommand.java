package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.export.MergedModel;
import dev.finetune.trainer.model.ModelFolder;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trainer export}: an adapter merged into its base model. */
@Command(
    name = "export",
    description = {
      "Merges an adapter into its base model and writes a complete model folder.",
      "The folder is loaded again and compared with base and adapter before it is put in its place."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = {"--adapter", "--adapters", "--ckpt_dir"},
      required = true,
      paramLabel = "DIR",
      description =
          "The adapter in PEFT's format: a run's adapter folder, or one of its checkpoints.")
  private String adapter;

  @Option(
      names = {"--model", "--model_id_or_path"},
      paramLabel = "DIR",
      description =
          "The base model, a folder in Hugging Face's layout. Default: the one that the adapter names.")
  private String model;

  @Option(
      names = {"--output", "--output_dir"},
      paramLabel = "DIR",
      description =
          "Where the folder goes; nothing may be there. Default: the adapter's, with -merged.")
  private String output;

  @Option(
      names = "--merge_lora",
      arity = "0..1",
      fallbackValue = "true",
      defaultValue = "true",
      paramLabel = "true",
      description = "Merging is what this command does; for ms-swift's command lines.")
  private boolean merge;

  @Option(names = "--debug", description = "Print the trace of every error.")
  private boolean debug;

  private final Environment environment;
  private final PrintStream out;

  ExportCommand(Environment environment, PrintStream out) {
    this.environment = environment;
    this.out = out;
  }

  @Override
  public Integer call() {
    ProgramEnd end =
        ProgramEnd.after(
            () -> {
              out.println(export());
              return "exported";
            });
    return new LastWords(spec.commandLine().getErr(), debug, Optional.empty()).say(end);
  }

  private String export() {
    if (!merge) {
      throw new TrainerException(
          TrainerExit.USAGE, "export does nothing but merge; leave --merge_lora out");
    }
    Locations locations = new Locations(environment.volumes());
    Path source = locations.resolve(Locations.sourceOf(adapter));
    Path target =
        output == null
            ? source.resolveSibling(source.getFileName() + "-merged")
            : locations.resolve(Locations.sourceOf(output));
    ModelFolder base =
        ModelFolder.open(
            model == null ? AdapterBase.of(source) : locations.resolve(Locations.sourceOf(model)));
    String found =
        new MergedModel(base, source, Devices.ofThisProcess().visible().get(0))
            .writeTo(target, () -> {});
    return "the merged model is at %s; %s".formatted(target, found);
  }
}
