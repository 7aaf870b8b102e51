package dev.finetune.trainer.distributed;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.TorchRuntime;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The native library over c10d (src/main/native/c10d.cpp). Its functions throw {@link
 * C10dException} with c10d's own message, or IllegalArgumentException. A store or group is the
 * address of a native object, to be closed once; a tensor is the address of an at::Tensor.
 */
final class C10dLibrary {
  /** The file of the library, for images that have it beside their libtorch. */
  private static final String FILE = "FINETUNE_C10D_LIBRARY";

  private static boolean loaded;

  private C10dLibrary() {}

  /**
   * Loads the library, once per process.
   *
   * @throws TrainerException if it wasn't built, or not for the libtorch that runs
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    // The library's own needs are then met by the libtorch that DJL has loaded.
    TorchRuntime.start();
    String version = TorchRuntime.version();
    String file = System.getenv(FILE);
    if (file != null && !file.isEmpty()) {
      load(Path.of(file));
    } else {
      loadResource(version + (TorchRuntime.builtForCuda() ? "-cuda" : "-cpu"));
    }
    if (!builtFor().equals(version)) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "libfinetune_c10d.so is built for libtorch %s, and libtorch %s runs; use the libtorch it is built for, or build the trainer again."
              .formatted(builtFor(), version));
    }
    loaded = true;
  }

  static void loadResource(String libtorch) {
    String name = resource(libtorch);
    try (InputStream library = C10dLibrary.class.getResourceAsStream(name)) {
      if (library == null) {
        throw missing(libtorch);
      }
      Path copy = Files.createTempFile("libfinetune_c10d", ".so");
      try {
        Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
        load(copy);
      } finally {
        // What is loaded stays, without its name.
        Files.delete(copy);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String resource(String libtorch) {
    return "/native/linux-x86_64/libtorch-" + libtorch + "/libfinetune_c10d.so";
  }

  /** The trainer has no library for this libtorch. */
  static TrainerException missing(String libtorch) {
    return new TrainerException(
        TrainerExit.USAGE,
        "Several processes need libfinetune_c10d.so for libtorch %s, and this trainer was built without it. Install g++ (apt-get install g++) and build the trainer again, or name the file in %s."
            .formatted(libtorch, FILE));
  }

  private static void load(Path file) {
    try {
      System.load(file.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "libfinetune_c10d.so can't be loaded into libtorch %s: %s. Build the trainer again with this libtorch."
              .formatted(TorchRuntime.version(), e.getMessage()),
          e);
    }
  }

  /** The version of the libtorch whose headers the library was compiled with. */
  static native String builtFor();

  /**
   * Connects to the ranks' common store, and hosts it if asked to.
   *
   * @param timeoutMillis for connecting, and for keys that Gloo and NCCL wait for
   */
  static native long openStore(String host, int port, boolean server, long timeoutMillis);

  static native void closeStore(long store);

  static native void put(long store, String key, byte[] value);

  /** Null where there is no such key. */
  static native byte[] get(long store, String key);

  /** Adds to a number, 0 at first, and returns the sum. */
  static native long add(long store, String key, long amount);

  /**
   * Connects this rank to all others.
   *
   * @param networkInterface the interface to use, or empty
   * @param address this host's address to use where there is no interface
   * @param ncclInterface the interface of NCCL, which comes beside Gloo for tensors on a GPU; null:
   *     no NCCL
   */
  static native long openGroup(
      long store,
      int rank,
      int size,
      String networkInterface,
      String address,
      String ncclInterface,
      long timeoutMillis);

  static native void closeGroup(long group, boolean failed);

  static native void allReduceDoubles(long group, double[] values, boolean max);

  static native void allReduce(long group, long tensor);

  static native void broadcast(long group, long tensor, int root);

  static native void reduceScatter(long group, long input, long output);

  static native void allGather(long group, long input, long output);

  static native void barrier(long group);
}
