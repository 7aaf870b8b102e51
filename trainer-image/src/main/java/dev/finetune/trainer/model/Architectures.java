package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The architectures that the trainer knows. */
final class Architectures {
  private static final List<Architecture> KNOWN =
      List.of(
          new Llama(),
          new Qwen2(),
          new Qwen3(),
          new Mistral(),
          new SmolLm3(),
          new Gemma2(),
          new Gemma3(),
          new Phi3(),
          new InternLm2());

  /** Those that are asked for, and what to say of them. */
  private static final Map<String, String> UNSUPPORTED =
      Map.of(
          "Gemma3ForConditionalGeneration",
          "Gemma 3 with its image tower, which isn't supported; take a text model such as"
              + " gemma-3-1b-it, or save this one's alone with transformers:"
              + " Gemma3ForCausalLM.from_pretrained(...).save_pretrained(...)");

  private Architectures() {}

  /**
   * The architecture of a name.
   *
   * @param config the configuration that names it
   * @throws TrainerException listing the supported ones, if it is none of them
   */
  static Architecture of(ModelConfig config, String name) {
    return KNOWN.stream()
        .filter(known -> known.name().equals(name))
        .findFirst()
        .orElseThrow(() -> unsupported(config, name));
  }

  private static TrainerException unsupported(ModelConfig config, String name) {
    String what = UNSUPPORTED.get(name);
    return new TrainerException(
        TrainerExit.MODEL,
        "%s names the architecture '%s', which %s; supported are %s"
            .formatted(
                config.file(), name, what == null ? "isn't supported" : "is " + what, names()));
  }

  private static String names() {
    return KNOWN.stream().map(Architecture::name).collect(Collectors.joining(", "))
        + ", and with pictures "
        + InternVl.ORIGINAL
        + " and "
        + InternVl.TRANSFORMERS;
  }
}
