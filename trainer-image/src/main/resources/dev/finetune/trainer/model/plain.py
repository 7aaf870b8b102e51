# What an architecture has whose layers alone are its own: Llama's numbers, the embedding as it is, and a
# head behind a root mean square norm.

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

def head(x: Tensor, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  h = __torch__.rms_norm(x, __torch__.weight("model.norm.weight", model), model.config.eps)
  return __torch__.linear(h, "lm_head", model, run)

# The half of layer `name` behind its attention, x + W_down (silu(W_gate h) * W_up h) with h the norm
# of x (arXiv:2002.05202).
def gated_mlp(x: Tensor, name: str, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  h = __torch__.rms_norm(x, __torch__.weight(name + "post_attention_layernorm.weight", model), model.config.eps)
  gate = torch.silu(__torch__.linear(h, name + "mlp.gate_proj", model, run))
  up = __torch__.linear(h, name + "mlp.up_proj", model, run)
  return torch.add_(__torch__.linear(gate * up, name + "mlp.down_proj", model, run), x)
