package dev.finetune.trainer.cli;

import ai.djl.engine.Engine;
import dev.finetune.trainer.engine.TorchRuntime;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.IVersionProvider;

/** Versions of the trainer and of what it computes with. */
final class Versions implements IVersionProvider {
  static String trainer() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse("development");
  }

  /** By name; starts the engine. */
  static Map<String, String> all() {
    TorchRuntime.start();
    return Map.of(
        "trainer", trainer(),
        "djl", Engine.getDjlVersion(),
        "pytorch", Engine.getEngine("PyTorch").getVersion(),
        "java", Runtime.version().toString());
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "trainer " + trainer(), "DJL " + Engine.getDjlVersion(), "Java " + Runtime.version()
    };
  }
}
