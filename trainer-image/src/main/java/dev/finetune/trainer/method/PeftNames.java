package dev.finetune.trainer.method;

/** The names of tensors in PEFT's adapter_model.safetensors. */
final class PeftNames {
  /** Of every tensor: PEFT's wrapper, and the causal language model in it. */
  private static final String PREFIX = "base_model.model.";

  private static final String SUFFIX = ".weight";

  private PeftNames() {}

  /** Of a tensor that is the weight of a module of its own, such as LAYER.lora_A. */
  static String ofMatrix(String scriptName) {
    return PREFIX + scriptName + SUFFIX;
  }

  /** Of a parameter of the layer itself, such as LAYER.ia3_l. */
  static String ofParameter(String scriptName) {
    return PREFIX + scriptName;
  }

  /** The script's name of a tensor in PEFT's file; the name itself if it isn't of that form. */
  static String scriptName(String peftName) {
    if (!peftName.startsWith(PREFIX)) {
      return peftName;
    }
    String name = peftName.substring(PREFIX.length());
    return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
  }
}
