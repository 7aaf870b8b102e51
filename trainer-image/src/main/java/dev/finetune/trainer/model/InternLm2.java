package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.List;

/**
 * InternLM2 and InternLM2.5 (arXiv:2403.17297): Llama's network with q, k and v as one linear
 * layer, whose rows are ordered by key/value heads. It stays one, so that an adapter is one of the
 * published model's.
 */
final class InternLm2 extends Decoder {
  InternLm2() {
    super("InternLM2ForCausalLM", "plain.py", "internlm2.py");
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return isAttention(linear) && config.flag("bias", false);
  }

  @Override
  List<LinearLayer> linearLayers(ModelConfig config, int layer) {
    List<LinearLayer> linears = new ArrayList<>(fusedAttention(config, layer));
    super.linearLayers(config, layer).stream()
        .filter(linear -> !isAttention(linear))
        .forEach(linears::add);
    return linears;
  }

  @Override
  public Layout layout() {
    return Names.INSTANCE;
  }

  private enum Names implements Layout {
    INSTANCE;

    private static final List<Renaming> RENAMINGS =
        List.of(
            new Renaming("^model\\.embed_tokens\\b", "model.tok_embeddings"),
            new Renaming("^lm_head\\b", "output"),
            new Renaming("\\.self_attn\\.qkv_proj\\b", ".attention.wqkv"),
            new Renaming("\\.self_attn\\.o_proj\\b", ".attention.wo"),
            new Renaming("\\.mlp\\.gate_proj\\b", ".feed_forward.w1"),
            new Renaming("\\.mlp\\.up_proj\\b", ".feed_forward.w3"),
            new Renaming("\\.mlp\\.down_proj\\b", ".feed_forward.w2"),
            new Renaming("\\.input_layernorm\\b", ".attention_norm"),
            new Renaming("\\.post_attention_layernorm\\b", ".ffn_norm"));

    @Override
    public String file(String weight) {
      return Renaming.all(RENAMINGS, weight);
    }

    @Override
    public String module(String path) {
      return file(path);
    }
  }
}
