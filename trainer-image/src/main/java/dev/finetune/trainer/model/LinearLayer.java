package dev.finetune.trainer.model;

/**
 * A linear layer, or the embedding, which an adapter can be put on.
 *
 * @param name its full path, such as model.layers.0.self_attn.q_proj
 * @param layer index of its decoder layer; -1: the embedding, the number of layers: the head
 * @param in number of its inputs; of the embedding, of token ids
 * @param out number of its outputs
 */
public record LinearLayer(String name, int layer, long in, long out) {
  /** Numbers in its weight. */
  public long elements() {
    return in * out;
  }

  /** The last part of its path, such as q_proj. */
  public String suffix() {
    return name.substring(name.lastIndexOf('.') + 1);
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
