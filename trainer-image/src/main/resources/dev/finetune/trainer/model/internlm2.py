# InternLM2 (arXiv:2403.17297): q, k and v are one linear layer, in whose result the heads of each
# key/value head stand together: its query heads, then its key, then its value.

def layer(x: Tensor, i: int, model: __torch__.Model, run: __torch__.Run, cache: Dict[str, Tensor]) -> Tensor:
  c = model.config
  name = "model.layers." + str(i) + "."
  h = __torch__.rms_norm(x, __torch__.weight(name + "input_layernorm.weight", model), c.eps)
  qkv = __torch__.linear(h, name + "self_attn.qkv_proj", model, run)
  groups = qkv.view([qkv.size(0), c.kv_heads, -1, c.head_dim])
  q, k, v = torch.split_with_sizes(groups, [groups.size(2) - 2, 1, 1], 2)
  q = __torch__.rotate(__torch__.split_heads(q.reshape([q.size(0), -1]), run.rows, c.head_dim), i, model, run)
  k = __torch__.rotate(__torch__.split_heads(k.reshape([k.size(0), -1]), run.rows, c.head_dim), i, model, run)
  k = __torch__.remember(k, "keys." + str(i), run, cache)
  v = __torch__.remember(__torch__.split_heads(v.reshape([v.size(0), -1]), run.rows, c.head_dim), "values." + str(i), run, cache)
  o = __torch__.attention(q, k, v, i, model, run)
  x = torch.add_(__torch__.linear(o, name + "self_attn.o_proj", model, run), x)
  return __torch__.gated_mlp(x, name, model, run)
