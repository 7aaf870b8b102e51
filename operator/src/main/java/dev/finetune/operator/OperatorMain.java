package dev.finetune.operator;

import dev.finetune.operator.check.CheckCommand;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Arrays;
import java.util.List;

/** The operator's program: without arguments the operator, with {@code check} a look at one. */
@QuarkusMain(name = "operator")
public final class OperatorMain {
  private OperatorMain() {}

  /** Runs the operator until it is told to stop, or the command and ends with its exit code. */
  public static void main(String[] arguments) {
    List<String> words = Arrays.asList(arguments);
    if (words.isEmpty() || !words.get(0).equals(CheckCommand.NAME)) {
      Quarkus.run(arguments);
    } else {
      System.exit(CheckCommand.run(words.subList(1, words.size())));
    }
  }
}
