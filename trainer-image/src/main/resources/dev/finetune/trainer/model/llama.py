# Llama 2 and 3 (arXiv:2302.13971, arXiv:2407.21783), Qwen2 (arXiv:2407.10671), which has biases on
# q, k and v, Qwen3 (arXiv:2505.09388), which has norms on the heads of q and k, Mistral
# (arXiv:2310.06825), which has a sliding window, and SmolLM3, some of whose layers don't rotate q and
# k (arXiv:2501.18795): a layer takes what the model has.

# Each head's norm, before its rotation: (B, heads, T, D)
def head_norm(x: Tensor, name: str, model: __torch__.Model) -> Tensor:
  if __torch__.has_weight(name, model):
    return __torch__.rms_norm(x, __torch__.weight(name, model), model.config.eps)
  return x

def layer(x: Tensor, i: int, model: __torch__.Model, run: __torch__.Run, cache: Dict[str, Tensor]) -> Tensor:
  c = model.config
  name = "model.layers." + str(i) + "."
  h = __torch__.rms_norm(x, __torch__.weight(name + "input_layernorm.weight", model), c.eps)
  q = __torch__.split_heads(__torch__.linear(h, name + "self_attn.q_proj", model, run), run.rows, c.head_dim)
  k = __torch__.split_heads(__torch__.linear(h, name + "self_attn.k_proj", model, run), run.rows, c.head_dim)
  v = __torch__.split_heads(__torch__.linear(h, name + "self_attn.v_proj", model, run), run.rows, c.head_dim)
  q = __torch__.rotate(__torch__.head_norm(q, name + "self_attn.q_norm.weight", model), i, model, run)
  k = __torch__.rotate(__torch__.head_norm(k, name + "self_attn.k_norm.weight", model), i, model, run)
  k = __torch__.remember(k, "keys." + str(i), run, cache)
  v = __torch__.remember(v, "values." + str(i), run, cache)
  o = __torch__.attention(q, k, v, i, model, run)
  x = torch.add_(__torch__.linear(o, name + "self_attn.o_proj", model, run), x)
  return __torch__.gated_mlp(x, name, model, run)
