package dev.finetune.trainer.model;

/**
 * A linear layer, or the embedding, which an adapter can be put on.
 *
 * @param name its full path in the scripts, such as model.layers.0.self_attn.q_proj
 * @param module its full path in the model, by which PEFT and users name it
 * @param layer index of its decoder layer; -1: it lies before them, such as the embedding; the
 *     number of layers: the head
 * @param in number of its inputs; of the embedding, of token ids
 * @param out number of its outputs
 */
public record LinearLayer(String name, String module, int layer, long in, long out) {
  /** One whose path in the model is that in the scripts. */
  LinearLayer(String name, int layer, long in, long out) {
    this(name, name, layer, in, out);
  }

  LinearLayer withModule(String path) {
    return new LinearLayer(name, path, layer, in, out);
  }

  /** The part of the model that it is of. */
  public ModelPart part() {
    return InternVl.partOf(name);
  }

  /** Whether it is neither the embedding nor the head. */
  public boolean isInner() {
    return !name.equals(Network.EMBEDDING) && !name.equals(Network.HEAD);
  }

  /** Whether it is the embedding, whose inputs are token ids. */
  public boolean isEmbedding() {
    return name.equals(Network.EMBEDDING);
  }

  /** Numbers in its weight. */
  public long elements() {
    return in * out;
  }

  /** The last part of its path in the scripts, such as q_proj. */
  public String suffix() {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /**
   * The last part of its path in the model, such as q_proj; with a number, mlp1.1, the last two.
   */
  public String moduleSuffix() {
    int dot = module.lastIndexOf('.');
    return Character.isDigit(module.charAt(dot + 1))
        ? module.substring(module.lastIndexOf('.', dot - 1) + 1)
        : module.substring(dot + 1);
  }

  /** Whether its path in the model is so, or ends so, as PEFT matches target_modules. */
  public boolean isNamed(String target) {
    return ends(module, target);
  }

  /** Whether its path in the model or in the scripts is so, or ends so. */
  public boolean isNamedAnywhere(String target) {
    return ends(module, target) || ends(name, target);
  }

  private static boolean ends(String path, String target) {
    return path.equals(target) || path.endsWith("." + target);
  }

  /** Whether it is the last of attention or of the MLP, whose result is added to the residual. */
  public boolean endsBlock() {
    return suffix().equals("o_proj") || suffix().equals("down_proj");
  }

  /** Names what it reads: q_proj, k_proj and v_proj read the same, gate_proj and up_proj too. */
  public String input() {
    String module = name.substring(0, name.length() - suffix().length());
    return endsBlock() ? name : module;
  }
}
