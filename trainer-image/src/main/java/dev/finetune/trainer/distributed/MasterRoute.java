package dev.finetune.trainer.distributed;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Comparator;
import java.util.function.Consumer;

/**
 * How rank 0 is reached: both ends of the way. The other ranks reach this host at its end, so Gloo
 * listens there and this host's own name needn't resolve.
 *
 * @param master rank 0's address
 * @param own this host's address on the way to it
 */
record MasterRoute(InetAddress master, InetAddress own) {
  private static final int CONNECT_MILLIS = 2000;
  private static final Duration PAUSE = Duration.ofMillis(250);

  /**
   * Tries until rank 0 accepts a connection: in a cluster its name is published only once its pod
   * runs.
   *
   * @throws TrainerException if it can't be reached before the start timeout
   */
  static MasterRoute find(Rendezvous rendezvous, Consumer<String> log) throws InterruptedException {
    long deadline = System.nanoTime() + rendezvous.startTimeout().toNanos();
    String patience = Rendezvous.inWords(rendezvous.startTimeout());
    Reminder reminder = new Reminder(log);
    while (true) {
      String reason;
      try {
        return connect(rendezvous);
      } catch (UnknownHostException e) {
        reason = "the name doesn't resolve";
      } catch (IOException e) {
        reason = e.getMessage();
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new TrainerException(
            TrainerExit.TRY_AGAIN,
            "Rank %d can't reach rank 0 at %s within %s: %s. Look whether rank 0 has started, and whether its address is right."
                .formatted(rendezvous.rank(), rendezvous.master(), patience, reason));
      }
      reminder.say(
          "Rank %d waits for rank 0 at %s, up to %s: %s"
              .formatted(rendezvous.rank(), rendezvous.master(), patience, reason));
      Thread.sleep(PAUSE.toMillis());
    }
  }

  private static MasterRoute connect(Rendezvous rendezvous) throws IOException {
    InetAddress master = InetAddress.getByName(rendezvous.masterAddress());
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(master, rendezvous.masterPort()), CONNECT_MILLIS);
      return new MasterRoute(master, socket.getLocalAddress());
    }
  }

  /**
   * Rank 0's own: it asks its store over loopback, and listens at the address that the others know
   * it by if that is one of this host's, be it loopback. It isn't where the name stands for a
   * service, or isn't published yet.
   */
  static MasterRoute ofMaster(Rendezvous rendezvous) {
    return new MasterRoute(InetAddress.getLoopbackAddress(), known(rendezvous.masterAddress()));
  }

  private static InetAddress known(String masterAddress) {
    try {
      InetAddress address = InetAddress.getByName(masterAddress);
      if (NetworkInterface.getByInetAddress(address) != null) {
        return address;
      }
    } catch (UnknownHostException e) {
      // One of this host's, then.
    } catch (SocketException e) {
      throw new UncheckedIOException(e);
    }
    return outward();
  }

  /** The network interface that has this host's address. */
  String ownInterface() {
    try {
      return NetworkInterface.getByInetAddress(own).getName();
    } catch (SocketException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** This host's first address that others can reach. */
  private static InetAddress outward() {
    try {
      return NetworkInterface.networkInterfaces()
          .filter(MasterRoute::isUp)
          .sorted(Comparator.comparingInt(NetworkInterface::getIndex))
          .flatMap(NetworkInterface::inetAddresses)
          .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
          .min(Comparator.comparing(address -> !(address instanceof Inet4Address)))
          .orElseGet(InetAddress::getLoopbackAddress);
    } catch (SocketException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isUp(NetworkInterface network) {
    try {
      return network.isUp();
    } catch (SocketException e) {
      return false;
    }
  }
}
