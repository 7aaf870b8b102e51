package dev.finetune.trainer.engine;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Starts the PyTorch engine once per process, with the settings that the trainer relies on. */
public final class TorchRuntime {
  private TorchRuntime() {}

  /**
   * Starts the engine if it isn't running.
   *
   * @throws ai.djl.engine.EngineException if libtorch can't be loaded
   */
  public static void start() {
    Holder.start();
  }

  /** Whether CUDA devices are visible, and how many. */
  public static int cudaDevices() {
    start();
    return Engine.getEngine("PyTorch").getGpuCount();
  }

  /** The running libtorch's version, such as 2.7.1. */
  public static String version() {
    start();
    return Engine.getEngine("PyTorch").getVersion();
  }

  /** Whether the running libtorch is one for CUDA, be there a GPU or not. */
  public static boolean builtForCuda() {
    start();
    return Files.exists(Path.of(LibUtils.getLibtorchPath(), "libtorch_cuda.so"));
  }

  /** Threads of a native operation. */
  public static int threads() {
    start();
    return JniUtils.getNumThreads();
  }

  /**
   * OMP_NUM_THREADS where it is a positive number, as every OpenMP program; else all processors.
   */
  static int threadsFor(Map<String, String> environment, int processors) {
    String value = environment.getOrDefault("OMP_NUM_THREADS", "").strip();
    try {
      int threads = Integer.parseInt(value);
      return threads > 0 ? threads : processors;
    } catch (NumberFormatException e) {
      return processors;
    }
  }

  private static final class Holder {
    static {
      // DJL reports its start to a server unless told not to; a trainer in a cluster calls nobody.
      System.setProperty("OPT_OUT_TRACKING", "true");
      Engine.getEngine("PyTorch");
      JniUtils.setNumThreads(
          threadsFor(System.getenv(), Runtime.getRuntime().availableProcessors()));
    }

    private Holder() {}

    static void start() {
      // Being called initialises the class.
    }
  }
}
