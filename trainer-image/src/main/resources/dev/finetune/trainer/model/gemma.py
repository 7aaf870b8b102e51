# Gemma 2 (arXiv:2408.00118), whose scores of attention and logits have a soft cap, and Gemma 3's text
# model (arXiv:2503.19786), which has norms on the heads of q and k instead, and another rotary
# embedding in the layers with the window: a layer takes what the model has.

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
  embedding_scale : float       # sqrt(C)
  logit_cap : float             # 0: none

def read_config(numbers: Dict[str, float]) -> __torch__.Config:
  head_dim = int(numbers["head_dim"])
  frequencies = [__torch__.read_frequencies(numbers)]
  if "local_rope_theta" in numbers:
    frequencies.append(__torch__.inverse_frequencies(numbers["local_rope_theta"], head_dim))
  rotation = __torch__.of_each_layer(numbers, "rotation")
  window = int(__torch__.number(numbers, "sliding_window", 0.))
  scale = torch.div(1., torch.sqrt(numbers["query_pre_attn_scalar"]))
  cap = __torch__.number(numbers, "attn_logit_softcapping", 0.)
  logit_cap = __torch__.number(numbers, "final_logit_softcapping", 0.)
  embedding_scale = torch.sqrt(numbers["hidden_size"])
  return __torch__.Config(int(numbers["num_hidden_layers"]), int(numbers["num_key_value_heads"]), head_dim, frequencies, rotation, window, __torch__.sliding_layers(numbers), scale, cap, numbers["rms_norm_eps"], embedding_scale, logit_cap)

# The scale is rounded to the model's type first, as in training: to bfloat16, sqrt(3072) is 55.5.
def embed(ids: Tensor, model: __torch__.Model) -> Tensor:
  x = __torch__.embedding(ids, model)
  return x * torch.full([], model.config.embedding_scale, dtype=x.dtype, device=x.device)

# Root mean square norm whose weight is what the file's is above -1, all of it in float32.
def norm(x: Tensor, name: str, model: __torch__.Model) -> Tensor:
  weight = torch.add(__torch__.weight(name, model).to(6), 1.)
  return torch.mul_(__torch__.over_root_mean_square(x, model.config.eps), weight).to(x.dtype)

# Each head's norm, before its rotation: (B, heads, T, D)
def head_norm(x: Tensor, name: str, model: __torch__.Model) -> Tensor:
  if __torch__.has_weight(name, model):
    return __torch__.norm(x, name, model)
  return x

def layer(x: Tensor, i: int, model: __torch__.Model, run: __torch__.Run, cache: Dict[str, Tensor]) -> Tensor:
  d = model.config.head_dim
  name = "model.layers." + str(i) + "."
  h = __torch__.norm(x, name + "input_layernorm.weight", model)
  q = __torch__.split_heads(__torch__.linear(h, name + "self_attn.q_proj", model, run), run.rows, d)
  k = __torch__.split_heads(__torch__.linear(h, name + "self_attn.k_proj", model, run), run.rows, d)
  v = __torch__.split_heads(__torch__.linear(h, name + "self_attn.v_proj", model, run), run.rows, d)
  q = __torch__.rotate(__torch__.head_norm(q, name + "self_attn.q_norm.weight", model), i, model, run)
  k = __torch__.rotate(__torch__.head_norm(k, name + "self_attn.k_norm.weight", model), i, model, run)
  k = __torch__.remember(k, "keys." + str(i), run, cache)
  v = __torch__.remember(v, "values." + str(i), run, cache)
  o = __torch__.linear(__torch__.attention(q, k, v, i, model, run), name + "self_attn.o_proj", model, run)
  x = torch.add_(__torch__.norm(o, name + "post_attention_layernorm.weight", model), x)
  h = __torch__.norm(x, name + "pre_feedforward_layernorm.weight", model)
  gate = torch.gelu(__torch__.linear(h, name + "mlp.gate_proj", model, run), approximate="tanh")
  up = __torch__.linear(h, name + "mlp.up_proj", model, run)
  o = __torch__.linear(gate * up, name + "mlp.down_proj", model, run)
  return torch.add_(__torch__.norm(o, name + "post_feedforward_layernorm.weight", model), x)

def head(x: Tensor, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  logits = __torch__.linear(__torch__.norm(x, "model.norm.weight", model), "lm_head", model, run)
  cap = model.config.logit_cap
  if torch.gt(cap, 0.):
    return torch.tanh_(torch.div(logits.to(6), cap)) * cap
  return logits
