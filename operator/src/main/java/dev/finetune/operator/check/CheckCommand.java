package dev.finetune.operator.check;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** {@code check OPERATOR-URL NAMESPACE}: exit code 0 if the installation works, 1 if not. */
public final class CheckCommand {
  /** First argument of the program that asks for this command. */
  public static final String NAME = "check";

  private static final int USAGE = 64;

  /** Enough for a pod that starts on a busy node, and less than helm test's five minutes. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private CheckCommand() {}

  /**
   * Runs the command.
   *
   * @param arguments those behind the command's name
   * @return the exit code
   */
  public static int run(List<String> arguments) {
    if (arguments.size() != 2) {
      System.err.println("usage: check OPERATOR-URL NAMESPACE");
      return USAGE;
    }
    String namespace = arguments.get(1);
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      new InstallationCheck(client, URI.create(arguments.get(0)), namespace, PATIENCE).run();
      System.out.println("the operator serves the FineTuneJobs of namespace " + namespace);
      return 0;
    } catch (CheckFailedException e) {
      System.err.println("check failed: " + e.getMessage());
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }
}
