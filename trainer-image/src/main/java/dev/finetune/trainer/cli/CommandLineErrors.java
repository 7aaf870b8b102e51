package dev.finetune.trainer.cli;

import dev.finetune.api.schema.NearestName;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Ends the program over a command line that can't be understood, naming all that is wrong. */
final class CommandLineErrors implements IParameterExceptionHandler {
  private final Environment environment;

  CommandLineErrors(Environment environment) {
    this.environment = environment;
  }

  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String message =
        e instanceof UnmatchedArgumentException ? unknown(arguments, command, e) : e.getMessage();
    String help = command.getCommandSpec().qualifiedName() + " --help";
    ProgramEnd end = new ProgramEnd(TrainerExit.USAGE, message + "; see " + help, e);
    return new LastWords(command.getErr(), false, environment.terminationMessageFile())
        .say(end, Progress.NONE);
  }

  /**
   * All flags that aren't known. picocli's own list may lack some: it is empty where the first of
   * them stands behind a flag that takes many values.
   */
  private static String unknown(String[] arguments, CommandLine command, ParameterException e) {
    Set<String> known = known(command);
    List<String> faults =
        Arrays.stream(arguments)
            .filter(argument -> argument.startsWith("--"))
            .map(argument -> argument.replaceFirst("=.*", ""))
            .filter(flag -> !known.contains(flag))
            .map(flag -> fault(flag, known))
            .toList();
    return faults.isEmpty() ? e.getMessage() : String.join("; ", faults);
  }

  private static Set<String> known(CommandLine command) {
    Set<String> known = new TreeSet<>();
    command.getCommandSpec().options().forEach(option -> known.addAll(List.of(option.names())));
    return known;
  }

  private static String fault(String flag, Set<String> known) {
    if (known.contains("--recipe") && UnservedFlags.adviceFor(flag).isPresent()) {
      return "%s isn't served by this version: %s"
          .formatted(flag, UnservedFlags.adviceFor(flag).get());
    }
    return "unknown flag "
        + flag
        + NearestName.of(flag, known).map(name -> ", did you mean %s?".formatted(name)).orElse("");
  }
}
