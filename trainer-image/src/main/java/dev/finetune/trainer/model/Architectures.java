package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.stream.Collectors;

/** The architectures that the trainer knows. */
final class Architectures {
  private static final List<Architecture> KNOWN =
      List.of(new Llama(), new Qwen2(), new Qwen3(), new Mistral());

  private Architectures() {}

  /**
   * The architecture that config.json names.
   *
   * @throws TrainerException listing the supported ones, if it is none of them
   */
  static Architecture of(ModelConfig config) {
    return KNOWN.stream()
        .filter(known -> known.name().equals(config.architecture()))
        .findFirst()
        .orElseThrow(
            () ->
                new TrainerException(
                    TrainerExit.MODEL,
                    "%s names the architecture '%s', which isn't supported; supported are %s"
                        .formatted(config.file(), config.architecture(), names())));
  }

  private static String names() {
    return KNOWN.stream().map(Architecture::name).collect(Collectors.joining(", "));
  }
}
