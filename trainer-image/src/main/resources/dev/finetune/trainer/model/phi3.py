# Phi-3 (arXiv:2404.14219): q, k and v are one linear layer, and the MLP's gate and up another.

def layer(x: Tensor, i: int, model: __torch__.Model, run: __torch__.Run, cache: Dict[str, Tensor]) -> Tensor:
  c = model.config
  name = "model.layers." + str(i) + "."
  h = __torch__.rms_norm(x, __torch__.weight(name + "input_layernorm.weight", model), c.eps)
  qkv = __torch__.linear(h, name + "self_attn.qkv_proj", model, run)
  keys = c.kv_heads * c.head_dim
  q, k, v = torch.split_with_sizes(qkv, [qkv.size(1) - 2 * keys, keys, keys], 1)
  q = __torch__.rotate(__torch__.split_heads(q, run.rows, c.head_dim), i, model, run)
  k = __torch__.rotate(__torch__.split_heads(k, run.rows, c.head_dim), i, model, run)
  k = __torch__.remember(k, "keys." + str(i), run, cache)
  v = __torch__.remember(__torch__.split_heads(v, run.rows, c.head_dim), "values." + str(i), run, cache)
  o = __torch__.attention(q, k, v, i, model, run)
  x = torch.add_(__torch__.linear(o, name + "self_attn.o_proj", model, run), x)
  h = __torch__.rms_norm(x, __torch__.weight(name + "post_attention_layernorm.weight", model), c.eps)
  gate, up = torch.chunk(__torch__.linear(h, name + "mlp.gate_up_proj", model, run), 2, -1)
  return torch.add_(__torch__.linear(up * torch.silu(gate), name + "mlp.down_proj", model, run), x)
