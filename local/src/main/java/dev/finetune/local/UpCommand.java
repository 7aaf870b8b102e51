package dev.finetune.local;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code local up}: a cluster that stays until Ctrl-C. */
@Command(
    name = "up",
    description = "Starts a cluster that stays up, and says how to reach it.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  private static final long LOOK_MILLIS = 1000;

  @Spec private CommandSpec spec;
  @Mixin private ClusterOptions options;

  @Option(
      names = "--apply",
      paramLabel = "FILE",
      arity = "1..*",
      description = "Manifests to apply.")
  private List<Path> manifests = List.of();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    try (EmbeddedCluster cluster = options.start()) {
      Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
      try (OperatorThread operator = OperatorThread.start(cluster.url(), options.operatorLog())) {
        new Manifests(cluster.client()).apply(manifests);
        out.printf(
            """
            The cluster is up at %1$s; Ctrl-C ends it and every pod.

              kubectl --server %1$s apply --server-side --validate=false -f examples/quickstart.yaml
              kubectl --server %1$s get finetunejobs -o yaml

            kubectl can't watch here (-w): the API server watches over WebSockets only.
            Claims are folders below %2$s/volumes, unless --claim names another.
            The logs: %3$s of the operator, %2$s/pods/*/log of the pods.
            """,
            cluster.url(), options.pods().getParent(), options.operatorLog());
        out.flush();
        Optional<String> failure = operator.failure();
        while (!operator.stopping() && failure.isEmpty()) {
          Thread.sleep(LOOK_MILLIS);
          failure = operator.failure();
        }
        failure.ifPresent(this::operatorEnded);
        return 1;
      }
    }
  }

  private void operatorEnded(String reason) {
    spec.commandLine()
        .getErr()
        .println("the operator ended: " + reason + "; see " + options.operatorLog());
  }
}
