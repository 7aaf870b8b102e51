package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What goes wrong in a data centre, done to our own cluster with its scripts. Tests that use it
 * carry the tag {@link #OWN_CLUSTER}.
 */
public final class Disturbances {
  /** Tag of the tests that can't run on a cluster whose machines aren't ours. */
  public static final String OWN_CLUSTER = "own-cluster";

  private final Settings settings;

  Disturbances(Settings settings) {
    this.settings = settings;
  }

  /** Cuts the power of a node: all its processes are gone at once, and nobody is told. */
  public void killNode(String node) {
    script("node.sh", "kill", index(node));
  }

  /** Switches a node on again and waits until it is ready. */
  public void startNode(String node) {
    script("node.sh", "start", index(node));
  }

  /** Cuts the network between a node's pods and those of the other nodes: packets vanish. */
  public void cutPodsOff(String node) {
    script("node.sh", "cut", index(node));
  }

  /** Takes {@link #cutPodsOff} back. */
  public void mendNetwork(String node) {
    script("node.sh", "mend", index(node));
  }

  /** Stops the API server. */
  public void stopApiServer() {
    script("apiserver.sh", "stop");
  }

  /** Starts the API server and waits until it is ready. */
  public void startApiServer() {
    script("apiserver.sh", "start");
  }

  /**
   * Sends a signal to the main process of a pod's container, such as STOP or KILL.
   *
   * @throws AssertionError if it isn't found on this machine
   */
  public void signal(Pod pod, String container, String signal) {
    scripts();
    Command.run(
        List.of("kill", "-" + signal, String.valueOf(ContainerProcesses.main(pod, container))));
  }

  /**
   * Sends a signal to the process of one rank in a pod.
   *
   * @throws AssertionError if it isn't found on this machine
   */
  public void signalRank(Pod pod, String container, int rank, String signal) {
    scripts();
    Command.run(
        List.of(
            "kill", "-" + signal, String.valueOf(ContainerProcesses.rank(pod, container, rank))));
  }

  private void script(String name, String... arguments) {
    var command = new ArrayList<String>();
    command.add(scripts().resolve(name).toString());
    command.add("--state");
    command.add(settings.state().toString());
    command.addAll(List.of(arguments));
    Command.run(command);
  }

  private Path scripts() {
    return settings
        .scripts()
        .orElseThrow(
            () ->
                new AssertionError(
                    "This test stops machines, which it can do only to a cluster of its own. Run it"
                        + " without -De2e.kubeconfig and KUBECONFIG, or leave it out with"
                        + " -DexcludedGroups="
                        + OWN_CLUSTER));
  }

  /** node-2 of {@code k8s-node-2} is the second. */
  private static String index(String node) {
    return node.substring(node.lastIndexOf('-') + 1);
  }
}
