package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * Gives each pod an address of its own out of 127.0.0.0/8, all of which Linux routes to this
 * machine. So every trainer can listen on the same port, as in a cluster.
 */
final class PodAddresses {
  private static final int TRIES = 100;

  /** Below lie 127.0.0.1 and what resolvers use. */
  private static final int FIRST_SUBNET = 16;

  private static final int LAST = 254;

  private final RandomGenerator random = new Random();

  /** An address at which every port of the pod is free, also for another cluster's pods. */
  String allocate(Pod pod) throws IOException {
    IOException taken = null;
    for (int attempt = 0; attempt < TRIES; attempt++) {
      String address =
          "127.%d.%d.%d"
              .formatted(
                  random.nextInt(FIRST_SUBNET, LAST),
                  random.nextInt(1, LAST),
                  random.nextInt(1, LAST));
      try {
        for (var container : pod.getSpec().getContainers()) {
          for (ContainerPort port : container.getPorts()) {
            bind(address, port.getContainerPort());
          }
        }
        return address;
      } catch (IOException e) {
        taken = e;
      }
    }
    throw new IOException("no loopback address is free: " + taken.getMessage(), taken);
  }

  private static void bind(String address, int port) throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(address, port));
    }
  }
}
