package dev.finetune.trainer.model;

/**
 * A linear layer of a decoder layer, which an adapter can be put on.
 *
 * @param name its full path, such as model.layers.0.self_attn.q_proj
 * @param layer index of its decoder layer
 * @param in number of its inputs
 * @param out number of its outputs
 */
public record LinearLayer(String name, int layer, long in, long out) {
  /** The last part of its path, such as q_proj. */
  public String suffix() {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** Names what it reads: q_proj, k_proj and v_proj read the same, gate_proj and up_proj too. */
  public String input() {
    String module = name.substring(0, name.length() - suffix().length());
    return suffix().equals("down_proj") || suffix().equals("o_proj") ? name : module;
  }
}
