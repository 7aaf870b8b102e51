# Phi-3 (arXiv:2404.14219): q, k and v are one linear layer, and the MLP's gate and up another.

class Config(NamedTuple):
  layers : int
  kv_heads : int
  head_dim : int
  frequencies : List[Tensor]
  rotation : List[int]
  window : int
  sliding : List[bool]
  scale : float
  cap : float
  eps : float

def read_config(numbers: Dict[str, float]) -> __torch__.Config:
  head_dim = int(numbers["head_dim"])
  frequencies = [__torch__.read_frequencies(numbers)]
  rotation = __torch__.of_each_layer(numbers, "rotation")
  window = int(__torch__.number(numbers, "sliding_window", 0.))
  scale = torch.div(1., torch.sqrt(head_dim))
  return __torch__.Config(int(numbers["num_hidden_layers"]), int(numbers["num_key_value_heads"]), head_dim, frequencies, rotation, window, __torch__.sliding_layers(numbers), scale, 0., numbers["rms_norm_eps"])

def embed(ids: Tensor, model: __torch__.Model) -> Tensor:
  return __torch__.embedding(ids, model)

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

def head(x: Tensor, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  h = __torch__.rms_norm(x, __torch__.weight("model.norm.weight", model), model.config.eps)
  return __torch__.linear(h, "lm_head", model, run)
