package dev.finetune.trainer.cli;

import dev.finetune.api.schema.NearestName;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.util.ArrayList;
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
        e instanceof UnmatchedArgumentException unmatched
            ? unmatched(unmatched.getUnmatched(), command)
            : e.getMessage();
    String help = command.getCommandSpec().qualifiedName() + " --help";
    ProgramEnd end = new ProgramEnd(TrainerExit.USAGE, message + "; see " + help, e);
    return new LastWords(command.getErr(), false, environment.terminationMessageFile())
        .say(end, Progress.NONE);
  }

  /** Values behind a flag that isn't known are its values, and no error of their own. */
  private static String unmatched(List<String> arguments, CommandLine command) {
    List<String> faults = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.startsWith("-")) {
        faults.add(flag(argument.replaceFirst("=.*", ""), command));
      }
    }
    return faults.isEmpty()
        ? "'%s' isn't expected here".formatted(arguments.get(0))
        : String.join("; ", faults);
  }

  private static String flag(String flag, CommandLine command) {
    boolean tunes = command.getCommandSpec().findOption("--recipe") != null;
    if (tunes && UnservedFlags.adviceFor(flag).isPresent()) {
      return "%s isn't served by this version: %s"
          .formatted(flag, UnservedFlags.adviceFor(flag).get());
    }
    Set<String> known = new TreeSet<>();
    command.getCommandSpec().options().forEach(option -> known.addAll(List.of(option.names())));
    return "unknown flag %s".formatted(flag)
        + NearestName.of(flag, known).map(name -> ", did you mean %s?".formatted(name)).orElse("");
  }
}
