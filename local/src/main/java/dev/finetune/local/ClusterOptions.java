package dev.finetune.local;

import dev.finetune.local.kubelet.LocalImages;
import dev.finetune.local.kubelet.Node;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options of every command that starts a cluster. */
final class ClusterOptions {
  /** The image that the operator asks for, without its tag. */
  private static final String TRAINER_IMAGE = "finetune-trainer";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = ".finetune/local",
      description =
          "Folder of claims (volumes/), pods and the operator's log. Default: ${DEFAULT-VALUE}")
  private Path data;

  @Option(
      names = "--claim",
      paramLabel = "NAME=DIR",
      description = "A claim that is a folder elsewhere. Others are folders below DATA/volumes.")
  private Map<String, Path> claims = new LinkedHashMap<>();

  @Option(
      names = "--trainer",
      paramLabel = "FILE",
      defaultValue = "trainer-image/bin/trainer",
      description = "The program that runs for the trainer's image. Default: ${DEFAULT-VALUE}")
  private Path trainer;

  @Option(
      names = "--port",
      defaultValue = "0",
      description = "Port of the API server on 127.0.0.1. Default: any that is free")
  private int port;

  EmbeddedCluster start() {
    return EmbeddedCluster.start(
        new EmbeddedCluster.Options(
            port,
            data,
            claims,
            new LocalImages(Map.of(TRAINER_IMAGE, trainer.toAbsolutePath())),
            Node.detect()));
  }

  Path operatorLog() {
    return data.resolve("operator.log");
  }

  Path pods() {
    return data.resolve("pods");
  }
}
