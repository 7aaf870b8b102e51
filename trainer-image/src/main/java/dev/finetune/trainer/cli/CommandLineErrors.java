package dev.finetune.trainer.cli;

import dev.finetune.api.schema.NearestName;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;

/** Ends the program over a command line that can't be understood, naming all that is wrong. */
final class CommandLineErrors implements IParameterExceptionHandler {
  private final Environment environment;

  CommandLineErrors(Environment environment) {
    this.environment = environment;
  }

  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String unknown = unknownFlags(arguments, command);
    String message = unknown.isEmpty() ? e.getMessage() : unknown;
    String help = command.getCommandSpec().qualifiedName() + " --help";
    ProgramEnd end = new ProgramEnd(TrainerExit.USAGE, message + "; see " + help, e);
    return new LastWords(command.getErr(), false, environment.terminationMessageFile()).say(end);
  }

  /**
   * All flags that aren't known, whatever picocli stumbled over first: a misspelt flag is the cause
   * of the one that it misses, and behind a flag that takes many values picocli names none.
   */
  private static String unknownFlags(String[] arguments, CommandLine command) {
    Set<String> known = known(command);
    return Arrays.stream(arguments)
        .filter(argument -> argument.startsWith("--"))
        .map(argument -> argument.replaceFirst("=.*", ""))
        .filter(flag -> !known.contains(flag))
        .map(flag -> fault(flag, known))
        .collect(Collectors.joining("; "));
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
