package dev.finetune.trainer.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/**
 * The program run in this JVM.
 *
 * @param code its exit code
 * @param out what it printed
 * @param err what it printed as errors
 */
record Program(int code, String out, String err) {
  static Program run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    CommandLine program =
        Main.commandLine(new GracefulStop(), new PrintStream(out, true, StandardCharsets.UTF_8));
    program.setErr(new PrintWriter(err, true));
    int code = program.execute(RecipeOptions.spelled(arguments));
    return new Program(code, out.toString(StandardCharsets.UTF_8), err.toString());
  }
}
