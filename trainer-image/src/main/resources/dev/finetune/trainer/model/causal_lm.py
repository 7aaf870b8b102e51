# What every decoder-only language model shares: linear layers with what a tuning method puts on
# them, the loss, the backward pass, the optimizer step, generation. An architecture's own files are put
# before it, take its weights through weight(), linear() and embedding(), and define
#   class Config(NamedTuple)                   its numbers, with at least the fields
#     layers : int
#     kv_heads : int
#     head_dim : int
#     frequencies : List[Tensor]               of each kind of rotary embedding, (D / 2)
#     rotation : List[int]                     each layer's kind of rotary embedding; -1: none
#     window : int                             tokens that a token sees in a layer with a sliding
#                                              window, itself among them; 0 without such layers
#     sliding : List[bool]                     the layers that have the window
#     scale : float                            of attention's scores q k^T
#     cap : float                              their soft cap; 0: none
#   read_config(numbers) -> Config
#   embed(ids, model) -> hidden                (N) -> (N, C)
#   layer(hidden, i, model, run, cache) -> hidden   (N, C) -> (N, C)
#   head(hidden, model, run) -> logits         (N, C) -> (N, V), with the final norm
#
# nf4.py has the storage of frozen weights in four bits, vision.py what looks at pictures.
#
# This is TorchScript in the form in which archives hold it: `torch.` names the operators of ATen,
# `__torch__.` what is defined in these files, and element types are numbers:
# 2 int16, 4 int64, 5 float16, 6 float32, 7 float64, 15 bfloat16.
#
# Shapes: B rows of T tokens, N = B T, C hidden, V vocabulary, H query heads, K key/value heads,
# D size of a head, r rank of an adapter, P numbers that train.
#
# What trains is a list of named tensors, each of which belongs to a part of the network: part 0 is
# the embedding with what looks at pictures, part i + 1 is layer i, and the last part is the final norm
# with the head. A method is nothing but such names, which the functions below look up:
#   LAYER.lora_A (r, in), LAYER.lora_B (out, r)         low-rank adaptation of a linear layer
#   LAYER.lora_magnitude_vector (out)                   and of its rows' lengths (DoRA)
#   model.embed_tokens.lora_embedding_A (r, V), .lora_embedding_B (C, r), .lora_magnitude_vector (C)
#   LAYER.ia3_l (out, 1), or (1, in) where it scales the input
#   LAYER.adapter_down.weight (m, out), .adapter_up.weight (out, m), each with its .bias: a bottleneck
#   prefix.keys.I, prefix.values.I (n, K D)             of layer I
#   prompt_embeddings (n, C)
#   a weight's own name                                 full fine-tuning
#
# A packed micro-batch is one row (B = 1) of sequences that stand one behind the other without
# padding. Positions start anew in each, and attention works on each by itself, so none sees another
# and no T x T mask is made. Everything else works token by token.

class Model(NamedTuple):
  config : __torch__.Config
  tower : __torch__.Tower
  weights : Dict[str, Tensor]   # frozen, by their names in the model's file; of those that are
                                # stored in four bits, what nf4.py puts there instead
  tuned : Dict[str, Tensor]     # what a method puts on them, float32
  scales : Dict[str, float]     # of a linear layer's B A, by the layer's name; "" of the others
  activation : str              # of a bottleneck: gelu, relu or silu
  prefix : int                  # positions of a prefix, before those of every sequence
  dtype : int                   # to compute in
  device : Device

# One run through the layers.
class Run(NamedTuple):
  rows : int                    # B
  lengths : List[int]           # tokens of each sequence of a packed row; empty: T in every row
  past : int                    # positions before these: of a prefix and what the cache holds
  cos : List[Tensor]            # (T, D), of each kind of rotary embedding
  sin : List[Tensor]            # likewise
  mask : Optional[Tensor]       # the window's, (T, past + T) with T the longest sequence's; None: none is longer
  dropout : float               # probability of zeroing an element of an adapter's input
  generator : Optional[Generator]   # draws the dropout's masks; None: no dropout
  tuned : Dict[str, Tensor]     # the model's, for a prefix's keys and values

# NEFTune's noise on the embeddings (arXiv:2310.05914), of one micro-batch.
class Noise(NamedTuple):
  alpha : float                 # 0: none
  seed : int
  lengths : List[int]           # tokens of each sequence of a packed row; empty: T in every row

# A micro-batch between the forward and the backward pass of some layers.
class Passed(NamedTuple):
  run : __torch__.Run
  kept : List[Tensor]           # what forward_layers returned

# What takes its optimizer step at the same rate and with the same decay.
class Group(NamedTuple):
  factor : float                # times the learning rate
  decays : bool
  adamw : List[List[Tensor]]    # for the fused operator: slices of part, part_gradient, exp_avg and
                                # exp_avg_sq, and for each of them steps

# The tensors that train, one behind the other in one flat tensor. Where several ranks train, each
# has all of them, and AdamW's state of its own part only (ZeRO stage 1, arXiv:1910.02054); zeros
# fill the last part up.
class Trained(NamedTuple):
  size : int                    # P
  flat : Tensor                 # (P, filled up) float32
  gradient : Tensor             # as flat, of the accumulation window so far
  part : Tensor                 # this rank's part of flat, a view: (filled P / ranks)
  part_gradient : Tensor        # as part, the sum over all ranks; gradient itself where one trains
  exp_avg : Tensor              # as part
  exp_avg_sq : Tensor           # as part
  steps : Tensor                # ()
  groups : List[__torch__.Group]
  tuned : Dict[str, Tensor]     # views of flat, leaves of the graph
  gradients : Dict[str, Tensor] # views of gradient, by the same names
  parts : List[List[str]]       # names of the tensors of each part of the network

def longest(lengths: List[int], otherwise: int) -> int:
  if torch.eq(torch.len(lengths), 0):
    return otherwise
  most = 0
  for length in lengths:
    most = ops.prim.max(most, length)
  return most

# `length` is T. The sequences of a packed row have their positions from tables for the longest.
def new_run(model: __torch__.Model, rows: int, lengths: List[int], past: int, length: int) -> __torch__.Run:
  config = model.config
  most = __torch__.longest(lengths, length)
  of_cos = annotate(List[Tensor], [])
  of_sin = annotate(List[Tensor], [])
  for inverse in config.frequencies:
    cos, sin = __torch__.rope_tables(inverse, past, most, model.device, model.dtype)
    of_cos.append(__torch__.restart(cos, lengths))
    of_sin.append(__torch__.restart(sin, lengths))
  mask = __torch__.sliding_window_mask(config.window, past, most, model.device, model.dtype)
  return __torch__.Run(rows, lengths, past, of_cos, of_sin, mask, 0., None, model.tuned)

# A table's first rows for each sequence, one behind the other; the table itself without sequences.
def restart(table: Tensor, lengths: List[int]) -> Tensor:
  if torch.eq(torch.len(lengths), 0):
    return table
  parts = annotate(List[Tensor], [])
  for length in lengths:
    parts.append(torch.slice(table, 0, 0, length))
  return torch.cat(parts)

# A weight of the model in the type to compute in, whether it is frozen or trains.
def weight(name: str, model: __torch__.Model) -> Tensor:
  if name in model.tuned:
    return model.tuned[name].to(model.dtype)
  if name in model.weights:
    return model.weights[name]
  return __torch__.dequantized(name, model.weights, model.dtype)

def has_weight(name: str, model: __torch__.Model) -> bool:
  return torch.__or__(name in model.weights, name in model.tuned)

# The factor of a layer's B A: alpha / r, or alpha / sqrt(r).
def scale_of(name: str, model: __torch__.Model) -> float:
  if name in model.scales:
    return model.scales[name]
  return model.scales[""]

# The run of layer i: its masks come from a seed of its own, so that computing the layer again for
# the backward pass draws the same ones.
def of_layer(run: __torch__.Run, i: int, dropout: float, seeds: List[int]) -> __torch__.Run:
  if torch.eq(dropout, 0.):
    return run
  generator = torch.Generator(device=run.cos[0].device, seed=seeds[i])
  return __torch__.Run(run.rows, run.lengths, run.past, run.cos, run.sin, run.mask, dropout, generator, run.tuned)

# A mask that is False with the given probability, to 1/65536. Four elements share one 64-bit draw,
# which takes a quarter of bernoulli's time on a CPU.
def keep_mask(like: Tensor, probability: float, generator: Optional[Generator]) -> Tensor:
  n = torch.numel(like)
  draws = torch.empty([torch.floordiv(n + 3, 4)], dtype=4, device=like.device)
  draws = torch.random_(draws, -9223372036854775808, None, generator=generator)
  below = int(torch.round(probability * 65536.)) - 32768
  return torch.ge(torch.view_copy(draws, dtype=2), below)[0:n].view(torch.size(like))

# y + scale dropout(x) A^T B^T (LoRA, arXiv:2106.09685). It is added in place: y, W's product, has no
# other user.
def lora(y: Tensor, x: Tensor, name: str, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  a = model.tuned[name + ".lora_A"].to(x.dtype)
  b = model.tuned[name + ".lora_B"].to(x.dtype)
  scale = __torch__.scale_of(name, model)
  if torch.__isnot__(run.generator, None):
    x = x * __torch__.keep_mask(x, run.dropout, run.generator)
    scale = torch.div(scale, 1. - run.dropout)
  return torch.addmm_(y, torch.mm(x, a.t()), b.t(), beta=1., alpha=scale)

# The length of each row of W + scale B A, (out), a constant of the graph (DoRA's section 4.3). The sum
# isn't made: |w + s b A|^2 = |w|^2 + 2 s b (A w) + s^2 b (A A^T) b.
def row_lengths(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  a = a.detach()
  b = b.detach()
  w = w.detach()
  length = torch.linalg_vector_norm(w, 2, [1], False, dtype=6)
  mixed = torch.sum(torch.mm(w, a.t().to(w.dtype)).to(6) * b, [1])
  squares = torch.sum(torch.mm(b, torch.mm(a, a.t())) * b, [1])
  return torch.sqrt(length * length + mixed * (2. * scale) + squares * (scale * scale))

# DoRA (arXiv:2402.09353) in PEFT's form: magnitude / |W + s B A| times (W + s B A) x, where y is W x.
# With dropout the magnitude's part sees the masked input too.
def dora(y: Tensor, x: Tensor, w: Tensor, name: str, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  a = model.tuned[name + ".lora_A"]
  b = model.tuned[name + ".lora_B"]
  scale = __torch__.scale_of(name, model)
  lengths = __torch__.row_lengths(w, a, b, scale)
  factor = torch.div(model.tuned[name + ".lora_magnitude_vector"], lengths).to(x.dtype)
  if torch.__is__(run.generator, None):
    return torch.addmm_(y, torch.mm(x, a.to(x.dtype).t()), b.to(x.dtype).t(), beta=1., alpha=scale) * factor
  x = x * __torch__.keep_mask(x, run.dropout, run.generator)
  masked = torch.mm(x, w.t())
  tuned = torch.addmm(masked, torch.mm(x, a.to(x.dtype).t()), b.to(x.dtype).t(), beta=1., alpha=scale)
  return torch.add(y, torch.div(tuned * factor - masked, 1. - run.dropout))

# IA3 (arXiv:2205.05638): a vector times a layer's input, or times its result.
def ia3(x: Tensor, name: str, of_input: bool, model: __torch__.Model) -> Tensor:
  if name + ".ia3_l" in model.tuned:
    l = model.tuned[name + ".ia3_l"]
    if torch.eq(torch.eq(l.size(0), 1), of_input):
      return torch.mul(x, l.view([-1])).to(x.dtype)
  return x

def activated(x: Tensor, activation: str) -> Tensor:
  if torch.eq(activation, "relu"):
    return torch.relu(x)
  if torch.eq(activation, "silu"):
    return torch.silu(x)
  return torch.gelu(x)

# y + up(activation(down(y))): a bottleneck adapter (arXiv:1902.00751) behind a layer.
def bottleneck(y: Tensor, name: str, model: __torch__.Model) -> Tensor:
  down = model.tuned[name + ".adapter_down.weight"].to(y.dtype)
  up = model.tuned[name + ".adapter_up.weight"].to(y.dtype)
  h = torch.addmm(model.tuned[name + ".adapter_down.bias"].to(y.dtype), y, down.t(), beta=1., alpha=1.)
  h = __torch__.activated(h, model.activation)
  h = torch.addmm(model.tuned[name + ".adapter_up.bias"].to(y.dtype), h, up.t(), beta=1., alpha=1.)
  return torch.add(y, h)

# x W^T + bias with what the method puts on it, (N, in) -> (N, out).
def linear(x: Tensor, name: str, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  x = __torch__.ia3(x, name, True, model)
  w = __torch__.weight(name + ".weight", model)
  y = torch.mm(x, w.t())
  if name + ".lora_magnitude_vector" in model.tuned:
    y = __torch__.dora(y, x, w, name, model, run)
  if __torch__.has_weight(name + ".bias", model):
    y = torch.add(y, __torch__.weight(name + ".bias", model))
  if torch.__and__(name + ".lora_A" in model.tuned, torch.__not__(name + ".lora_magnitude_vector" in model.tuned)):
    y = __torch__.lora(y, x, name, model, run)
  y = __torch__.ia3(y, name, False, model)
  if name + ".adapter_down.weight" in model.tuned:
    y = __torch__.bottleneck(y, name, model)
  return y

# Rows of the embedding with what the method puts on it, (N) -> (N, C). LoRA has no dropout here, as
# in PEFT.
def embedding(ids: Tensor, model: __torch__.Model) -> Tensor:
  name = "model.embed_tokens"
  if name + ".weight" in model.tuned:
    return torch.embedding(model.tuned[name + ".weight"], ids).to(model.dtype)
  w = model.weights[name + ".weight"]
  x = torch.embedding(w, ids)
  if name + ".lora_embedding_A" in model.tuned:
    a = model.tuned[name + ".lora_embedding_A"]
    b = model.tuned[name + ".lora_embedding_B"]
    scale = __torch__.scale_of(name, model)
    x = torch.addmm(x, torch.embedding(a.t(), ids).to(x.dtype), b.to(x.dtype).t(), beta=1., alpha=scale)
    if name + ".lora_magnitude_vector" in model.tuned:
      lengths = __torch__.row_lengths(w.t(), a, b, scale)
      x = x * torch.div(model.tuned[name + ".lora_magnitude_vector"], lengths).to(x.dtype)
  return x

def no_noise() -> __torch__.Noise:
  return __torch__.Noise(0., 0, annotate(List[int], []))

# x + u alpha / sqrt(L C) with u uniform in [-1, 1] for each number, where L is the length of a
# sequence with its padding: (N, C) -> (N, C). As in transformers, it comes behind all that an
# architecture's embedding does, such as Gemma's scaling.
def noisy(x: Tensor, tokens: int, noise: __torch__.Noise) -> Tensor:
  if torch.eq(noise.alpha, 0.):
    return x
  generator = torch.Generator(device=x.device, seed=noise.seed)
  u = torch.uniform_(torch.empty_like(x, dtype=6), -1., 1., generator=generator)
  if torch.eq(torch.len(noise.lengths), 0):
    u = torch.mul_(u, torch.div(noise.alpha, torch.sqrt(tokens * x.size(1))))
  start = 0
  for length in noise.lengths:
    of_sequence = torch.slice(u, 0, start, start + length)
    of_sequence = torch.mul_(of_sequence, torch.div(noise.alpha, torch.sqrt(length * x.size(1))))
    start = start + length
  return torch.add(x, u.to(x.dtype))

# The first layer's input, (B, T) ids -> (N, C); with a prompt of n virtual tokens before each
# sequence, N is B (n + T). The noise leaves those alone as PEFT does, and the pieces of pictures, as
# their embeddings don't come from the table.
def first_hidden(ids: Tensor, model: __torch__.Model, noise: __torch__.Noise, pictures: __torch__.Pictures) -> Tensor:
  x = __torch__.noisy(__torch__.embed(ids.view([-1]), model), ids.size(1), noise)
  return __torch__.with_prompt(__torch__.with_pictures(x, ids, pictures, model), ids, model)

def with_prompt(x: Tensor, ids: Tensor, model: __torch__.Model) -> Tensor:
  if "prompt_embeddings" in model.tuned:
    b, t = torch.size(ids)
    c = x.size(1)
    prompt = torch.unsqueeze(model.tuned["prompt_embeddings"].to(x.dtype), 0)
    x = torch.cat([prompt.expand([b, prompt.size(1), c]), x.view([b, t, c])], 1).view([-1, c])
  return x

# The run of whole sequences, whose hidden states are x (N, C).
def run_of(x: Tensor, rows: int, lengths: List[int], model: __torch__.Model) -> __torch__.Run:
  return __torch__.new_run(model, rows, lengths, model.prefix, torch.floordiv(x.size(0), rows))

# x over its root mean square, in float32. One tensor of x's size is made, the result: what is made
# and dropped between tensors that stay leaves holes in the heap.
def over_root_mean_square(x: Tensor, eps: float) -> Tensor:
  h = x.to(6)
  length = torch.linalg_vector_norm(h, 2, [-1], True)
  return h * torch.rsqrt(torch.div(length * length, h.size(-1)) + eps)

# Root mean square norm (arXiv:1910.07467).
def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
  return torch.mul_(__torch__.over_root_mean_square(x, eps).to(x.dtype), weight)

# Rotary position embedding (arXiv:2104.09864) in Hugging Face's layout: the halves of a head are
# the pairs' coordinates. Of layer i's kind, if it has one: (B, heads, T, D)
def rotate(x: Tensor, i: int, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  kind = model.config.rotation[i]
  if torch.lt(kind, 0):
    return x
  first, second = torch.chunk(x, 2, -1)
  return torch.addcmul_(x * run.cos[kind], torch.cat([torch.neg(second), first], -1), run.sin[kind])

# (N, heads D) -> (B, heads, T, D)
def split_heads(x: Tensor, rows: int, head_dim: int) -> Tensor:
  tokens = torch.floordiv(x.size(0), rows)
  return x.view([rows, tokens, -1, head_dim]).transpose(1, 2)

# A prefix's keys or values of a layer (arXiv:2101.00190), (n, K D) -> (B, K, n, D). They have no
# rotation.
def prefix_of(name: str, tuned: Dict[str, Tensor], like: Tensor) -> Tensor:
  b, k, t, d = torch.size(like)
  prefix = tuned["prefix." + name].to(like.dtype)
  n = prefix.size(0)
  return torch.unsqueeze(prefix.view([n, k, d]).transpose(0, 1), 0).expand([b, k, n, d])

# Writes keys or values behind those that the cache holds and returns all of them: (B, K, T, D) ->
# (B, K, past + T, D). Without a cache it returns what it is given, behind the prefix's if there is one.
def remember(x: Tensor, name: str, run: __torch__.Run, cache: Dict[str, Tensor]) -> Tensor:
  if name not in cache:
    if "prefix." + name in run.tuned:
      return torch.cat([__torch__.prefix_of(name, run.tuned, x), x], 2)
    return x
  end = run.past + x.size(2)
  torch.copy_(torch.slice(cache[name], 2, run.past, end), x)
  return torch.slice(cache[name], 2, 0, end)

# Each key/value head serves H / K query heads (arXiv:2305.13245): (B, K, T, D) -> (B, H, T, D)
def repeat_heads(x: Tensor, heads: int) -> Tensor:
  b, k, t, d = torch.size(x)
  if torch.eq(k, heads):
    return x
  return torch.unsqueeze(x, 2).expand([b, k, torch.floordiv(heads, k), t, d]).reshape([b, heads, t, d])

# The mask of a sliding window (arXiv:2004.05150): a token sees itself and the window - 1 tokens
# before it. None where no token has more than that before it. What fills a row up lies behind its
# tokens and sees at least itself, so no row of the mask hides everything. Hidden is a finite number
# and not infinity, for a kernel that works block by block meets blocks in which all is hidden, and
# the difference of two infinities is no number.
def sliding_window_mask(window: int, past: int, length: int, device: Device, dtype: int) -> Optional[Tensor]:
  if torch.__or__(torch.eq(window, 0), torch.le(past + length, window)):
    return None
  seen = torch.arange(0, past + length, 1, dtype=4, device=device)
  tokens = torch.unsqueeze(torch.arange(past, past + length, 1, dtype=4, device=device), 1)
  before = tokens - seen
  hidden = torch.logical_or(torch.lt(before, 0), torch.ge(before, window))
  return torch.masked_fill(torch.zeros([length, past + length], dtype=dtype, device=device), hidden, -1.e+30)

# Attention of layer i: (B, H, T, D) and twice (B, K, past + T, D) -> (N, H D). A sequence that isn't
# longer than the window needs no mask, and the mask of a shorter one is the corner of the longest's.
def attention(q: Tensor, k: Tensor, v: Tensor, i: int, model: __torch__.Model, run: __torch__.Run) -> Tensor:
  b, h, t, d = torch.size(q)
  k = __torch__.repeat_heads(k, h)
  v = __torch__.repeat_heads(v, h)
  mask = run.mask
  if torch.__not__(model.config.sliding[i]):
    mask = None
  if torch.eq(torch.len(run.lengths), 0):
    o = __torch__.attend(q, k, v, mask, model.config)
  else:
    qs = torch.split_with_sizes(q, run.lengths, 2)
    ks = torch.split_with_sizes(k, run.lengths, 2)
    vs = torch.split_with_sizes(v, run.lengths, 2)
    os = annotate(List[Tensor], [])
    for j in range(torch.len(run.lengths)):
      length = run.lengths[j]
      own = annotate(Optional[Tensor], None)
      if torch.__isnot__(mask, None):
        if torch.gt(length, model.config.window):
          own = torch.slice(torch.slice(unchecked_cast(Tensor, mask), 0, 0, length), 1, 0, length)
      os.append(__torch__.attend(qs[j], ks[j], vs[j], own, model.config))
    o = torch.cat(os, 2)
  return o.transpose(1, 2).reshape([b * t, h * d])

# softmax(scale q k^T + mask) v, of (B, H, T, D) and twice (B, H, past + T, D); without a mask causal,
# with all of the past seen: the cache or a prefix.
def attend(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], config: __torch__.Config) -> Tensor:
  t = q.size(2)
  past = k.size(2) - t
  if torch.__and__(torch.__is__(mask, None), torch.__and__(torch.gt(t, 1), torch.gt(past, 0))):
    mask = torch.triu(torch.full([t, past + t], -1.e+30, dtype=q.dtype, device=q.device), past + 1)
  causal = torch.__and__(torch.__is__(mask, None), torch.gt(q.size(2), 1))
  if torch.gt(config.cap, 0.):
    return __torch__.capped_attention(q, k, v, mask, causal, config.scale, config.cap)
  return torch.scaled_dot_product_attention(q, k, v, mask, 0., causal, scale=config.scale)

# The same with scores between -cap and cap, cap tanh(score / cap) (arXiv:2408.00118), which PyTorch's
# fused operator can't do. The softmax is float32 as in transformers.
def capped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], causal: bool, scale: float, cap: float) -> Tensor:
  scores = torch.mul_(torch.matmul(q, k.transpose(-2, -1)), torch.div(scale, cap))
  scores = torch.tanh_(scores) * cap
  if torch.__isnot__(mask, None):
    scores = torch.add_(scores, unchecked_cast(Tensor, mask))
  elif causal:
    t = q.size(2)
    scores = torch.add_(scores, torch.triu(torch.full([t, t], -1.e+30, dtype=q.dtype, device=q.device), 1))
  return torch.matmul(torch.softmax(scores, -1, 6).to(v.dtype), v)

# 1 / base^(2 j / D), (D / 2) float32.
def inverse_frequencies(base: float, head_dim: int) -> Tensor:
  exponents = torch.div(torch.arange(0, head_dim, 2, dtype=6), head_dim)
  return torch.reciprocal(torch.pow(base, exponents))

# The frequencies that a configuration names, scaled as it says.
def read_frequencies(numbers: Dict[str, float]) -> Tensor:
  inverse = __torch__.inverse_frequencies(numbers["rope_theta"], int(numbers["head_dim"]))
  if "rope_low_freq_factor" in numbers:
    return __torch__.llama3_scaling(inverse, numbers["rope_factor"], numbers["rope_low_freq_factor"], numbers["rope_high_freq_factor"], numbers["rope_original_max_position_embeddings"])
  if "rope_factor" in numbers:
    # Position interpolation (arXiv:2306.15595).
    return torch.div(inverse, numbers["rope_factor"])
  return inverse

# Llama 3's scaling: long waves are slowed by the factor, short ones stay, between them it is
# interpolated (Hugging Face, rope_type "llama3").
def llama3_scaling(inverse: Tensor, factor: float, low: float, high: float, original: float) -> Tensor:
  wave = torch.reciprocal(inverse) * 6.283185307179586
  smooth = torch.div(torch.sub(torch.reciprocal(wave) * original, low), high - low)
  between = torch.mul(torch.rsub(smooth, 1.), torch.div(inverse, factor)) + smooth * inverse
  slowed = torch.where(torch.gt(wave, torch.div(original, low)), torch.div(inverse, factor), inverse)
  middle = torch.logical_not(torch.logical_or(torch.lt(wave, torch.div(original, high)), torch.gt(wave, torch.div(original, low))))
  return torch.where(middle, between, slowed)

# A number of a configuration, or what stands for its absence.
def number(numbers: Dict[str, float], name: str, otherwise: float) -> float:
  if name in numbers:
    return numbers[name]
  return otherwise

# A number of each layer, which numbers has as NAME.0, NAME.1 and so on where it isn't 0.
def of_each_layer(numbers: Dict[str, float], name: str) -> List[int]:
  values = annotate(List[int], [])
  for i in range(int(numbers["num_hidden_layers"])):
    values.append(int(__torch__.number(numbers, name + "." + str(i), 0.)))
  return values

# The layers that have the sliding window.
def sliding_layers(numbers: Dict[str, float]) -> List[bool]:
  values = annotate(List[bool], [])
  for value in __torch__.of_each_layer(numbers, "sliding"):
    values.append(torch.eq(value, 1))
  return values

# cos and sin of position times frequency for the positions start .. start + length - 1, (T, D).
def rope_tables(inverse: Tensor, start: int, length: int, device: Device, dtype: int) -> Tuple[Tensor, Tensor]:
  positions = torch.arange(start, start + length, 1, dtype=6, device=device)
  angles = torch.outer(positions, inverse.to(device))
  angles = torch.cat([angles, angles], -1)
  return (torch.cos(angles).to(dtype), torch.sin(angles).to(dtype))

# One transfer from the device for both.
def pair(first: Tensor, second: Tensor) -> List[float]:
  both = torch.stack([first, second]).to(torch.device("cpu"))
  return [float(torch.select(both, 0, 0)), float(torch.select(both, 0, 1))]

# The rows of the hidden states (N, C) whose prediction is supervised, and what they should predict:
# the prediction at t is compared with the label at t + 1, and a row's last token predicts nothing.
# The virtual tokens of a prompt before the labels' have no label.
def supervised_rows(hidden: Tensor, labels: Tensor) -> Tuple[Tensor, Tensor]:
  rows, tokens = torch.size(labels)
  virtual = torch.floordiv(hidden.size(0), rows) - tokens
  if torch.gt(virtual, 0):
    labels = torch.cat([torch.full([rows, virtual], -100, dtype=4, device=labels.device), labels], 1)
    tokens = tokens + virtual
  nothing = torch.full([rows, 1], -100, dtype=4, device=labels.device)
  targets = torch.cat([torch.slice(labels, 1, 1, tokens), nothing], 1).view([-1])
  supervised = torch.squeeze(torch.nonzero(torch.ne(targets, -100)), 1)
  return (supervised, torch.index_select(targets, 0, supervised))

# Two sums over the targets (N): of their negative log-likelihoods, (), and of how many are the most
# likely token, () float64.
def token_sums(x: Tensor, targets: Tensor, model: __torch__.Model, run: __torch__.Run) -> Tuple[Tensor, Tensor]:
  logits = __torch__.head(x, model, run).to(6)
  likeliest = torch.eq(torch.argmax(logits.detach(), -1), targets)
  return (torch.cross_entropy_loss(logits, targets, None, 2, -100, 0.), torch.sum(likeliest).to(7))

# token_sums over all supervised tokens. Only their rows meet the head, `chunk` at a time, so that no
# more than chunk x V logits live at once and none is kept.
def loss_sums(hidden: Tensor, labels: Tensor, model: __torch__.Model, run: __torch__.Run, chunk: int) -> List[float]:
  supervised, targets = __torch__.supervised_rows(hidden, labels)
  inputs = torch.index_select(hidden.detach(), 0, supervised)
  total = torch.zeros([], dtype=7, device=hidden.device)
  correct = torch.zeros([], dtype=7, device=hidden.device)
  count = supervised.size(0)
  start = 0
  while torch.lt(start, count):
    end = ops.prim.min(start + chunk, count)
    nll, likeliest = __torch__.token_sums(torch.slice(inputs, 0, start, end), torch.slice(targets, 0, start, end), model, run)
    total = total + nll.to(7)
    correct = correct + likeliest
    start = end
  return __torch__.pair(total, correct)

# The leaves of a part of the network.
def leaves(trained: __torch__.Trained, part: int) -> List[Tensor]:
  return __torch__.leaves_of(trained, trained.parts[part])

def leaves_of(trained: __torch__.Trained, names: List[str]) -> List[Tensor]:
  tensors = annotate(List[Tensor], [])
  for name in names:
    tensors.append(trained.tuned[name])
  return tensors

# The tensors of part 0 whose names begin so.
def names_of(trained: __torch__.Trained, prefix: str) -> List[str]:
  names = annotate(List[str], [])
  for name in trained.parts[0]:
    if torch.startswith(name, prefix, 0, -1):
      names.append(name)
  return names

# Adds to the window's gradients of a part's tensors.
def add_gradients(trained: __torch__.Trained, part: int, gradients: List[Optional[Tensor]]) -> None:
  return __torch__.add_gradients_of(trained, trained.parts[part], gradients)

def add_gradients_of(trained: __torch__.Trained, names: List[str], gradients: List[Optional[Tensor]]) -> None:
  for i in range(torch.len(names)):
    torch.add_(trained.gradients[names[i]], unchecked_cast(Tensor, gradients[i]))
  return None

# The lowest layer with something to train, where the backward pass ends: -1 is the embedding, and the
# number of layers the head.
def lowest_trained(trained: __torch__.Trained) -> int:
  for part in range(torch.len(trained.parts)):
    if torch.gt(torch.len(trained.parts[part]), 0):
      return part - 1
  return torch.len(trained.parts) - 2

# The same sums as loss_sums. Adds the gradients of loss / divisor to the window's of what trains in the
# head, and returns the one by the hidden states, where `further`.
def head_backward(hidden: Tensor, labels: Tensor, model: __torch__.Model, trained: __torch__.Trained, run: __torch__.Run, divisor: int, chunk: int, further: bool) -> Tuple[List[float], Tensor]:
  supervised, targets = __torch__.supervised_rows(hidden, labels)
  inputs = torch.index_select(hidden.detach(), 0, supervised)
  gradients = torch.empty_like(inputs)
  part = torch.len(trained.parts) - 1
  total = torch.zeros([], dtype=7, device=hidden.device)
  correct = torch.zeros([], dtype=7, device=hidden.device)
  count = supervised.size(0)
  start = 0
  while torch.lt(start, count):
    end = ops.prim.min(start + chunk, count)
    torch.set_grad_enabled(True)
    x = torch.requires_grad_(torch.slice(inputs, 0, start, end).detach(), further)
    nll, likeliest = __torch__.token_sums(x, torch.slice(targets, 0, start, end), model, run)
    total = total + nll.detach().to(7)
    correct = correct + likeliest
    wanted = __torch__.leaves(trained, part)
    if further:
      wanted.append(x)
    found = torch.grad([torch.div(nll, divisor)], wanted)
    torch.set_grad_enabled(False)
    if further:
      torch.copy_(torch.slice(gradients, 0, start, end), unchecked_cast(Tensor, found.pop(-1)))
    __torch__.add_gradients(trained, part, found)
    start = end
  if further:
    return (__torch__.pair(total, correct), torch.index_copy(torch.zeros_like(hidden.detach()), 0, supervised, gradients))
  return (__torch__.pair(total, correct), gradients)

# Adds the gradients of what trains in the embedding and in what looks at pictures, from that of the
# first layer's input. Without pictures nothing of the latter gets one.
def embedding_backward(ids: Tensor, gradient: Tensor, model: __torch__.Model, trained: __torch__.Trained, pictures: __torch__.Pictures) -> None:
  names = annotate(List[str], [])
  into_tower = False
  for name in trained.parts[0]:
    if __torch__.of_tower(name):
      into_tower = torch.gt(pictures.count, 0)
    elif torch.__or__(torch.gt(pictures.count, 0), torch.__not__(__torch__.of_projector(name))):
      names.append(name)
  if torch.__and__(torch.eq(torch.len(names), 0), torch.__not__(into_tower)):
    return None
  inputs = annotate(List[Tensor], [])
  features = torch.zeros([0], dtype=model.dtype, device=model.device)
  if torch.gt(pictures.count, 0):
    features = __torch__.tower_output(pictures, model, inputs, into_tower)
  torch.set_grad_enabled(True)
  features = torch.requires_grad_(features.detach(), into_tower)
  x = __torch__.embed(ids.view([-1]), model)
  if torch.gt(pictures.count, 0):
    x = __torch__.placed(x, ids, __torch__.projected(features, pictures, model), model)
  x = __torch__.with_prompt(x, ids, model)
  wanted = __torch__.leaves_of(trained, names)
  if into_tower:
    wanted.append(features)
  found = torch.grad([x], wanted, annotate(List[Optional[Tensor]], [gradient]))
  torch.set_grad_enabled(False)
  of_features = features
  if into_tower:
    of_features = unchecked_cast(Tensor, found.pop(-1))
  __torch__.add_gradients_of(trained, names, found)
  if into_tower:
    __torch__.tower_backward(inputs, of_features, pictures, model, trained)
  return None

# Forward through the layers [first, end), (N, C) -> (N, C). `lowest` is the lowest layer of the whole
# model that trains: the backward pass ends there, and only if it lies below `first` does the input
# get a gradient. Returns what the backward pass needs, the result last. Recomputing keeps each
# layer's input (arXiv:1604.06174); otherwise the result holds the graph, and its leaf is kept.
def forward_layers(x: Tensor, first: int, end: int, lowest: int, model: __torch__.Model, run: __torch__.Run, dropout: float, seeds: List[int], recompute: bool) -> List[Tensor]:
  none = annotate(Dict[str, Tensor], {})
  kept = annotate(List[Tensor], [])
  start = ops.prim.max(first, lowest)
  torch.set_grad_enabled(torch.__not__(recompute))
  for j in range(end - first):
    i = first + j
    if recompute:
      if torch.ge(i, start):
        kept.append(x)
    elif torch.eq(i, start):
      x = torch.requires_grad_(x.detach(), torch.gt(i, lowest))
      kept.append(x)
    x = __torch__.layer(x, i, model, __torch__.of_layer(run, i, dropout, seeds), none)
  torch.set_grad_enabled(False)
  kept.append(x)
  return kept

# Backward through the same layers from the gradient of their result: adds the gradients of what
# trains to the window's and returns the input's, if `lowest` lies below `first`. Takes `kept` apart,
# so that what was used is freed.
def backward_layers(kept: List[Tensor], gradient: Tensor, first: int, end: int, lowest: int, model: __torch__.Model, trained: __torch__.Trained, run: __torch__.Run, dropout: float, seeds: List[int], recompute: bool) -> Tensor:
  none = annotate(Dict[str, Tensor], {})
  start = ops.prim.max(first, lowest)
  y = kept.pop(-1)
  if torch.ge(start, end):
    return gradient
  if recompute:
    for j in range(end - start):
      i = end - 1 - j
      further = torch.gt(i, lowest)
      torch.set_grad_enabled(True)
      x = torch.requires_grad_(kept.pop(-1).detach(), further)
      y = __torch__.layer(x, i, model, __torch__.of_layer(run, i, dropout, seeds), none)
      wanted = __torch__.leaves(trained, i + 1)
      if further:
        wanted.append(x)
      gradients = torch.grad([y], wanted, annotate(List[Optional[Tensor]], [gradient]))
      torch.set_grad_enabled(False)
      if further:
        gradient = unchecked_cast(Tensor, gradients.pop(-1))
      __torch__.add_gradients(trained, i + 1, gradients)
    return gradient
  torch.set_grad_enabled(True)
  wanted = annotate(List[Tensor], [])
  for j in range(end - start):
    wanted = torch.add(wanted, __torch__.leaves(trained, start + j + 1))
  further = torch.gt(first, lowest)
  if further:
    wanted.append(kept.pop(-1))
  gradients = torch.grad([y], wanted, annotate(List[Optional[Tensor]], [gradient]))
  torch.set_grad_enabled(False)
  if further:
    gradient = unchecked_cast(Tensor, gradients.pop(-1))
  for j in range(end - start):
    part = end - j
    of_part = annotate(List[Optional[Tensor]], [])
    for name in trained.parts[part]:
      of_part.insert(0, gradients.pop(-1))
    __torch__.add_gradients(trained, part, of_part)
  return gradient

# The most likely token, or one drawn from softmax(logits / temperature) cut to the top_k most
# likely tokens and to the smallest set of them with a probability of top_p (arXiv:1904.09751).
def sample(logits: Tensor, temperature: float, top_k: int, top_p: float, seed: int) -> int:
  if torch.eq(temperature, 0.):
    return int(torch.argmax(logits))
  sorted, order = torch.sort(torch.div(logits, temperature), -1, True)
  if torch.gt(top_k, 0):
    sorted = torch.slice(sorted, 0, 0, top_k)
  probabilities = torch.softmax(sorted, -1)
  before = torch.cumsum(probabilities, 0) - probabilities
  probabilities = torch.where(torch.lt(before, top_p), probabilities, torch.zeros_like(probabilities))
  generator = torch.Generator(device=logits.device, seed=seed)
  drawn = torch.multinomial(probabilities, 1, False, generator=generator)
  return int(torch.index_select(order, 0, drawn))

class CausalLm(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def config(self: __torch__.CausalLm, numbers: Dict[str, float]) -> __torch__.Config:
    return __torch__.read_config(numbers)

  def tower(self: __torch__.CausalLm, numbers: Dict[str, float]) -> __torch__.Tower:
    return __torch__.read_tower(numbers)

  def no_weights(self: __torch__.CausalLm) -> Dict[str, Tensor]:
    return annotate(Dict[str, Tensor], {})

  # A safetensors file as one memory-mapped tensor of `count` elements of one type; no copy.
  def map_file(self: __torch__.CausalLm, path: str, count: int, dtype: int) -> Tensor:
    return torch.from_file(path, False, count, dtype=dtype, layout=0, device=torch.device("cpu"))

  # Puts elements [offset, offset + numel) of a mapped file into weights, converted to dtype. Where
  # the type and the device are the file's own, the result is a view of the mapped pages.
  def put_weight(self: __torch__.CausalLm, weights: Dict[str, Tensor], name: str, file: Tensor, offset: int, shape: List[int], dtype: int, device: str) -> None:
    n = 1
    for size in shape:
      n = n * size
    w = torch.slice(file, 0, offset, offset + n).view(shape)
    weights[name] = w.to(torch.device(device), dtype)
    return None

  # The same from a file mapped as bytes, for a tensor that doesn't lie on a multiple of its
  # element's size; this one is always copied.
  def put_unaligned_weight(self: __torch__.CausalLm, weights: Dict[str, Tensor], name: str, file: Tensor, offset: int, length: int, shape: List[int], file_dtype: int, dtype: int, device: str) -> None:
    w = torch.view_copy(torch.slice(file, 0, offset, offset + length).clone(), dtype=file_dtype).view(shape)
    weights[name] = w.to(torch.device(device), dtype)
    return None

  def put_tensor(self: __torch__.CausalLm, tensors: Dict[str, Tensor], name: str, tensor: Tensor, device: str) -> None:
    # The caller's buffer lives no longer than the call.
    tensors[name] = torch.clone(tensor).to(torch.device(device))
    return None

  # The tables of the weights that are stored in four bits, and such a weight: its numbers of the
  # type file_dtype, each of `bytes` bytes, begin at a byte of a file that is mapped as bytes.
  def put_nf4_tables(self: __torch__.CausalLm, weights: Dict[str, Tensor], values: Tensor, absmax_table: Tensor, piece: int, device: str) -> None:
    return __torch__.put_nf4_tables(weights, values, absmax_table, piece, torch.device(device))

  def put_nf4(self: __torch__.CausalLm, weights: Dict[str, Tensor], name: str, file: Tensor, offset: int, file_dtype: int, bytes: int, shape: List[int]) -> None:
    return __torch__.put_nf4(weights, name, file, offset, file_dtype, bytes, shape)

  # A second name for the same tensor: a tied head.
  def tie_weight(self: __torch__.CausalLm, weights: Dict[str, Tensor], name: str, to: str) -> None:
    weights[name] = weights[to]
    return None

  def model(self: __torch__.CausalLm, config: __torch__.Config, tower: __torch__.Tower, weights: Dict[str, Tensor], tuned: Dict[str, Tensor], scales: Dict[str, float], activation: str, prefix: int, dtype: int, device: str) -> __torch__.Model:
    return __torch__.Model(config, tower, weights, tuned, scales, activation, prefix, dtype, torch.device(device))

  # Starts of what trains that are computed from the base model, into the dictionary `starts`.

  # W's principal singular vectors as a product scale B A (PiSSA, arXiv:2404.02948).
  def put_principal(self: __torch__.CausalLm, starts: Dict[str, Tensor], model: __torch__.Model, name: str, rank: int, scale: float) -> None:
    w = __torch__.weight(name + ".weight", model).to(torch.device("cpu"), 6)
    u, lengths, v = torch.linalg_svd(w, False)
    roots = torch.sqrt(torch.div(torch.slice(lengths, 0, 0, rank), scale))
    starts[name + ".lora_A"] = torch.unsqueeze(roots, 1) * torch.slice(v, 0, 0, rank)
    starts[name + ".lora_B"] = torch.slice(u, 1, 0, rank) * roots
    return None

  # Leaves W - scale B A in the place of W.
  def leave_residual(self: __torch__.CausalLm, weights: Dict[str, Tensor], name: str, a: Tensor, b: Tensor, scale: float) -> None:
    w = weights[name + ".weight"]
    product = torch.mm(b.to(w.device), a.to(w.device)) * scale
    weights[name + ".weight"] = torch.sub(w.to(6), product).to(w.dtype)
    return None

  # The lengths of W's rows, or of its columns, for DoRA.
  def put_lengths(self: __torch__.CausalLm, starts: Dict[str, Tensor], model: __torch__.Model, name: str, dim: int) -> None:
    w = __torch__.weight(name + ".weight", model)
    starts[name + ".lora_magnitude_vector"] = torch.linalg_vector_norm(w, 2, [dim], False, dtype=6)
    return None

  # The embeddings of tokens, for a prompt.
  def put_embeddings(self: __torch__.CausalLm, starts: Dict[str, Tensor], model: __torch__.Model, ids: List[int]) -> None:
    starts["prompt_embeddings"] = __torch__.embed(torch.tensor(ids, dtype=4, device=model.device), model).to(6)
    return None

  # All that trains. Tensor j is (rows[j], columns[j]), or (rows[j]) where columns[j] is 0, belongs to
  # part parts[j] and steps with group groups[j]; they are in the order of the parts. Those of the
  # layers [first, end), with the embedding if the first is among them and the head if the last is,
  # are made as they would be among all. starts[j] says from what: zeros; ones; normal, of variance 1;
  # uniform in +-1/sqrt(columns), which is PyTorch's kaiming_uniform_ with a = sqrt(5); given, in the
  # dictionary. The optimizer's state is that of one of several equal parts. Where the head is tied to
  # an embedding that trains, it is a second name of it; where the embedding lies elsewhere, a copy
  # whose gradient is to be brought there.
  def new_trained(self: __torch__.CausalLm, names: List[str], parts: List[int], rows: List[int], columns: List[int], starts: List[str], given: Dict[str, Tensor], groups: List[int], factors: List[float], decays: List[int], tied: bool, layers: int, first: int, end: int, seed: int, rank: int, ranks: int, device: str) -> __torch__.Trained:
    torch.set_grad_enabled(False)
    generator = torch.Generator(device=torch.device("cpu"), seed=seed)
    from_part = first + 1
    if torch.eq(first, 0):
      from_part = 0
    to_part = end + 1
    if torch.eq(end, layers):
      to_part = end + 2
    of_parts = annotate(List[List[str]], [])
    for i in range(layers + 2):
      of_parts.append(annotate(List[str], []))
    # The empty one is all that layers without anything to train have.
    values = [torch.zeros([0], dtype=6)]
    for j in range(torch.len(names)):
      here = torch.__and__(torch.ge(parts[j], from_part), torch.lt(parts[j], to_part))
      n = rows[j] * ops.prim.max(columns[j], 1)
      value = torch.zeros([0], dtype=6)
      # What is drawn is drawn in any case, so that it doesn't depend on which layers are here.
      if torch.eq(starts[j], "uniform"):
        bound = torch.div(1., torch.sqrt(columns[j]))
        value = torch.uniform_(torch.empty([n], dtype=6), torch.neg(bound), bound, generator=generator)
      elif torch.eq(starts[j], "normal"):
        value = torch.normal_(torch.empty([n], dtype=6), 0., 1., generator=generator)
      if here:
        if torch.eq(starts[j], "zeros"):
          value = torch.zeros([n], dtype=6)
        elif torch.eq(starts[j], "ones"):
          value = torch.ones([n], dtype=6)
        elif torch.eq(starts[j], "given"):
          value = given[names[j]].to(torch.device("cpu"), 6).reshape([-1])
        of_parts[parts[j]].append(names[j])
        values.append(value)
    flat = torch.cat(values).to(torch.device(device))
    size = torch.numel(flat)
    length = torch.floordiv(size + ranks - 1, ranks)
    if torch.gt(length * ranks, size):
      flat = torch.cat([flat, torch.zeros([length * ranks - size], dtype=6, device=flat.device)])
    steps = torch.zeros([], dtype=6, device=torch.device(device))
    gradient = torch.zeros_like(flat)
    part_start = rank * length
    part = torch.slice(flat, 0, part_start, part_start + length)
    part_gradient = gradient
    if torch.gt(ranks, 1):
      part_gradient = torch.zeros_like(part)
    exp_avg = torch.zeros_like(part)
    exp_avg_sq = torch.zeros_like(part)
    tuned = annotate(Dict[str, Tensor], {})
    gradients = annotate(Dict[str, Tensor], {})
    # Where each group's adjacent tensors begin and end.
    begins = annotate(List[int], [])
    ends = annotate(List[int], [])
    of_groups = annotate(List[int], [])
    offset = 0
    for j in range(torch.len(names)):
      if torch.__and__(torch.ge(parts[j], from_part), torch.lt(parts[j], to_part)):
        shape = [rows[j]]
        if torch.gt(columns[j], 0):
          shape = [rows[j], columns[j]]
        n = rows[j] * ops.prim.max(columns[j], 1)
        leaf = torch.slice(flat, 0, offset, offset + n).view(shape).detach()
        tuned[names[j]] = torch.requires_grad_(leaf, True)
        gradients[names[j]] = torch.slice(gradient, 0, offset, offset + n).view(shape)
        new = torch.eq(torch.len(ends), 0)
        if torch.__not__(new):
          new = torch.ne(of_groups[-1], groups[j])
        if new:
          begins.append(offset)
          ends.append(offset + n)
          of_groups.append(groups[j])
        ends[-1] = offset + n
        offset = offset + n
    if torch.gt(torch.len(ends), 0):
      ends[-1] = length * ranks
    if torch.__and__(tied, torch.eq(end, layers)):
      if torch.eq(first, 0):
        tuned["lm_head.weight"] = tuned["model.embed_tokens.weight"]
        gradients["lm_head.weight"] = gradients["model.embed_tokens.weight"]
      else:
        copy = torch.clone(given["model.embed_tokens.weight"].to(6)).to(torch.device(device))
        tuned["lm_head.weight"] = torch.requires_grad_(copy, True)
        gradients["lm_head.weight"] = torch.zeros_like(copy)
      of_parts[-1].append("lm_head.weight")
    made = annotate(List[__torch__.Group], [])
    for g in range(torch.len(factors)):
      adamw = annotate(List[List[Tensor]], [])
      for t in range(5):
        adamw.append(annotate(List[Tensor], []))
      for k in range(torch.len(begins)):
        begin = ops.prim.max(begins[k] - part_start, 0)
        stop = ops.prim.min(ends[k] - part_start, length)
        if torch.__and__(torch.eq(of_groups[k], g), torch.lt(begin, stop)):
          adamw[0].append(torch.slice(part, 0, begin, stop))
          adamw[1].append(torch.slice(part_gradient, 0, begin, stop))
          adamw[2].append(torch.slice(exp_avg, 0, begin, stop))
          adamw[3].append(torch.slice(exp_avg_sq, 0, begin, stop))
          adamw[4].append(steps)
      if torch.gt(torch.len(adamw[0]), 0):
        made.append(__torch__.Group(factors[g], torch.ne(decays[g], 0), adamw))
    return __torch__.Trained(size, flat, gradient, part, part_gradient, exp_avg, exp_avg_sq, steps, made, tuned, gradients, of_parts)

  def tuned_of(self: __torch__.CausalLm, trained: __torch__.Trained) -> Dict[str, Tensor]:
    return trained.tuned

  # One micro-batch: loss_sums over its supervised tokens; the gradient of loss / window is
  # added to the window's. `lengths` are those of a packed row's sequences, whose first labels are
  # -100. `seeds` has a number for the dropout of each layer, for that of the head, for the noise
  # on the embeddings, and for the dropout of each layer of the tower and of the projector. `tiles` is
  # the number of tiles of the batch's pictures.
  def accumulate(self: __torch__.CausalLm, ids: Tensor, labels: Tensor, lengths: List[int], pixels: Tensor, tiles: int, model: __torch__.Model, trained: __torch__.Trained, window: int, dropout: float, alpha: float, seeds: List[int], recompute: bool, chunk: int) -> List[float]:
    ids = ids.to(model.device)
    labels = labels.to(model.device)
    rows, tokens = torch.size(ids)
    layers = model.config.layers
    pictures = __torch__.trained_pictures(pixels, tiles, dropout, seeds, model)
    x = __torch__.first_hidden(ids, model, __torch__.Noise(alpha, seeds[layers + 1], lengths), pictures)
    run = __torch__.run_of(x, rows, lengths, model)
    lowest = __torch__.lowest_trained(trained)
    kept = __torch__.forward_layers(x, 0, layers, lowest, model, run, dropout, seeds, recompute)
    sums, gradient = __torch__.head_backward(kept[-1], labels, model, trained, __torch__.of_layer(run, layers, dropout, seeds), window, chunk, torch.lt(lowest, layers))
    gradient = __torch__.backward_layers(kept, gradient, 0, layers, lowest, model, trained, run, dropout, seeds, recompute)
    if torch.lt(lowest, 0):
      __torch__.embedding_backward(ids, gradient, model, trained, pictures)
    return sums

  # The same in parts, for a model whose layers lie on several devices: each holds the layers
  # [first, end) with what trains in them, and hidden states and their gradients are handed on.
  def stage_input(self: __torch__.CausalLm, ids: Tensor, lengths: List[int], pixels: Tensor, tiles: int, model: __torch__.Model, alpha: float, dropout: float, seeds: List[int]) -> Tensor:
    pictures = __torch__.trained_pictures(pixels, tiles, dropout, seeds, model)
    noise = __torch__.no_noise()
    if torch.gt(alpha, 0.):
      noise = __torch__.Noise(alpha, seeds[model.config.layers + 1], lengths)
    return __torch__.first_hidden(ids.to(model.device), model, noise, pictures)

  # `lowest` at `end` keeps nothing for a backward pass.
  def stage_forward(self: __torch__.CausalLm, x: Tensor, rows: int, lengths: List[int], first: int, end: int, lowest: int, model: __torch__.Model, dropout: float, seeds: List[int], recompute: bool) -> __torch__.Passed:
    x = x.to(model.device)
    run = __torch__.run_of(x, rows, lengths, model)
    return __torch__.Passed(run, __torch__.forward_layers(x, first, end, lowest, model, run, dropout, seeds, recompute))

  def stage_output(self: __torch__.CausalLm, passed: __torch__.Passed) -> Tensor:
    return passed.kept[-1].detach()

  # Of the last stage: loss_sums.
  def stage_loss_sums(self: __torch__.CausalLm, passed: __torch__.Passed, labels: Tensor, model: __torch__.Model, chunk: int) -> List[float]:
    return __torch__.loss_sums(passed.kept[-1], labels.to(model.device), model, passed.run, chunk)

  # The same with the gradient by the stage's result, which is of no use where only the head trains.
  def stage_loss(self: __torch__.CausalLm, passed: __torch__.Passed, labels: Tensor, model: __torch__.Model, trained: __torch__.Trained, window: int, chunk: int, lowest: int, dropout: float, seeds: List[int]) -> Tuple[List[float], Tensor]:
    layers = model.config.layers
    run = __torch__.of_layer(passed.run, layers, dropout, seeds)
    return __torch__.head_backward(passed.kept[-1], labels.to(model.device), model, trained, run, window, chunk, torch.lt(lowest, layers))

  def sums_of(self: __torch__.CausalLm, loss: Tuple[List[float], Tensor]) -> List[float]:
    return loss[0]

  def gradient_of(self: __torch__.CausalLm, loss: Tuple[List[float], Tensor]) -> Tensor:
    return loss[1]

  def stage_backward(self: __torch__.CausalLm, passed: __torch__.Passed, gradient: Tensor, first: int, end: int, lowest: int, model: __torch__.Model, trained: __torch__.Trained, dropout: float, seeds: List[int], recompute: bool) -> Tensor:
    return __torch__.backward_layers(passed.kept, gradient.to(model.device), first, end, lowest, model, trained, passed.run, dropout, seeds, recompute)

  # Of the first stage, where the embedding trains.
  def stage_embedding_backward(self: __torch__.CausalLm, ids: Tensor, gradient: Tensor, pixels: Tensor, tiles: int, model: __torch__.Model, trained: __torch__.Trained, dropout: float, seeds: List[int]) -> None:
    pictures = __torch__.trained_pictures(pixels, tiles, dropout, seeds, model)
    __torch__.embedding_backward(ids.to(model.device), gradient, model, trained, pictures)
    return None

  # L2 norm of this rank's part of the gradient, summed in float64: the square of a float32 may not
  # be one.
  def gradient_norm(self: __torch__.CausalLm, trained: __torch__.Trained) -> float:
    torch.set_grad_enabled(False)
    return torch.linalg_vector_norm(trained.part_gradient, 2, None, False, dtype=7).item()

  # AdamW as torch.optim.AdamW on this rank's part, with the gradient times `factor`.
  def apply_step(self: __torch__.CausalLm, trained: __torch__.Trained, factor: float, rate: float, beta1: float, beta2: float, eps: float, decay: float) -> None:
    torch.set_grad_enabled(False)
    torch.mul_(trained.part_gradient, factor)
    torch.add_(trained.steps, 1)
    for group in trained.groups:
      group_decay = decay
      if torch.__not__(group.decays):
        group_decay = 0.
      # The lists are not made here: TorchScript removes an operator as dead code when it writes only
      # to the elements of lists made in the same function.
      a = group.adamw
      torch._fused_adamw_(a[0], a[1], a[2], a[3], annotate(List[Tensor], []), a[4], lr=rate * group.factor, beta1=beta1, beta2=beta2, weight_decay=group_decay, eps=eps, amsgrad=False, maximize=False)
    return None

  def clear_gradient(self: __torch__.CausalLm, trained: __torch__.Trained) -> None:
    torch.zero_(trained.gradient)
    if "lm_head.weight" in trained.gradients:
      torch.zero_(trained.gradients["lm_head.weight"])
    return None

  # A tied head on another device than the embedding: its gradient goes there, the values come back.
  def tied_gradient(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.gradients["lm_head.weight"]

  def add_tied_gradient(self: __torch__.CausalLm, trained: __torch__.Trained, gradient: Tensor) -> None:
    mine = trained.gradients["model.embed_tokens.weight"]
    torch.add_(mine, gradient.to(mine.device))
    return None

  def tied_values(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.tuned["model.embed_tokens.weight"].detach()

  def set_tied_values(self: __torch__.CausalLm, trained: __torch__.Trained, values: Tensor) -> None:
    torch.set_grad_enabled(False)
    torch.copy_(trained.tuned["lm_head.weight"], values)
    return None

  # The first of these tensors in which every number is zero, by its index; -1: none.
  def first_zero(self: __torch__.CausalLm, trained: __torch__.Trained, names: List[str]) -> int:
    torch.set_grad_enabled(False)
    for i in range(torch.len(names)):
      if torch.eq(torch.count_nonzero(trained.tuned[names[i]]).item(), 0):
        return i
    return -1

  # What the ranks hand each other.
  def gradient(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.gradient

  def part_gradient(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.part_gradient

  def flat(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.flat

  def part(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.part

  def exp_avg(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.exp_avg

  def exp_avg_sq(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return trained.exp_avg_sq

  # Room for a tensor with all parts.
  def new_whole(self: __torch__.CausalLm, trained: __torch__.Trained) -> Tensor:
    return torch.zeros_like(trained.flat)

  # loss_sums over the supervised tokens; keeps neither graph nor logits.
  def evaluate(self: __torch__.CausalLm, ids: Tensor, labels: Tensor, lengths: List[int], pixels: Tensor, tiles: int, model: __torch__.Model, chunk: int) -> List[float]:
    torch.set_grad_enabled(False)
    rows, tokens = torch.size(ids)
    x = __torch__.first_hidden(ids.to(model.device), model, __torch__.no_noise(), __torch__.seen_pictures(pixels, tiles))
    run = __torch__.run_of(x, rows, lengths, model)
    none = annotate(Dict[str, Tensor], {})
    for i in range(model.config.layers):
      x = __torch__.layer(x, i, model, run, none)
    return __torch__.loss_sums(x, labels.to(model.device), model, run, chunk)

  # Where the first number that isn't finite comes out: -1 of the embedding, i of layer i, `layers` of
  # the head, layers + 1 of nowhere.
  def first_non_finite(self: __torch__.CausalLm, ids: Tensor, lengths: List[int], pixels: Tensor, tiles: int, model: __torch__.Model, chunk: int) -> int:
    torch.set_grad_enabled(False)
    rows, tokens = torch.size(ids)
    x = __torch__.first_hidden(ids.to(model.device), model, __torch__.no_noise(), __torch__.seen_pictures(pixels, tiles))
    run = __torch__.run_of(x, rows, lengths, model)
    none = annotate(Dict[str, Tensor], {})
    if torch.__not__(bool(torch.all(torch.isfinite(x)))):
      return -1
    layers = model.config.layers
    for i in range(layers):
      x = __torch__.layer(x, i, model, run, none)
      if torch.__not__(bool(torch.all(torch.isfinite(x)))):
        return i
    count = x.size(0)
    start = 0
    while torch.lt(start, count):
      logits = __torch__.head(torch.slice(x, 0, start, ops.prim.min(start + chunk, count)), model, run)
      if torch.__not__(bool(torch.all(torch.isfinite(logits)))):
        return layers
      start = start + chunk
    return layers + 1

  # Logits of every position, (B, T) -> (B, T, V) float32.
  def logits(self: __torch__.CausalLm, ids: Tensor, pixels: Tensor, tiles: int, model: __torch__.Model) -> Tensor:
    torch.set_grad_enabled(False)
    rows, tokens = torch.size(ids)
    x = __torch__.first_hidden(ids.to(model.device), model, __torch__.no_noise(), __torch__.seen_pictures(pixels, tiles))
    run = __torch__.run_of(x, rows, annotate(List[int], []), model)
    none = annotate(Dict[str, Tensor], {})
    for i in range(model.config.layers):
      x = __torch__.layer(x, i, model, run, none)
    # A prompt's virtual tokens are before the others.
    length = torch.floordiv(x.size(0), rows)
    all = __torch__.head(x, model, run).to(torch.device("cpu"), 6).view([rows, length, -1])
    return torch.slice(all, 1, length - tokens, length)

  # The embeddings that pictures become.
  def pieces(self: __torch__.CausalLm, pixels: Tensor, tiles: int, model: __torch__.Model) -> Tensor:
    torch.set_grad_enabled(False)
    pictures = __torch__.seen_pictures(pixels, tiles)
    return __torch__.projected(__torch__.tower_output(pictures, model, annotate(List[Tensor], []), False), pictures, model).to(torch.device("cpu"), 6)

  # Room for the keys and values of `length` positions of one sequence, with those of a prefix.
  def new_cache(self: __torch__.CausalLm, model: __torch__.Model, length: int) -> Dict[str, Tensor]:
    cache = annotate(Dict[str, Tensor], {})
    for i in range(model.config.layers):
      for kind in ["keys.", "values."]:
        name = kind + str(i)
        room = torch.empty([1, model.config.kv_heads, length, model.config.head_dim], dtype=model.dtype, device=model.device)
        if torch.gt(model.prefix, 0):
          torch.copy_(torch.slice(room, 2, 0, model.prefix), __torch__.prefix_of(name, model.tuned, room))
        cache[name] = room
    return cache

  # The token behind `ids`, which follow the `past` positions that the cache holds. A prompt's virtual
  # tokens come before the first.
  def next_token(self: __torch__.CausalLm, ids: List[int], pixels: Tensor, tiles: int, past: int, model: __torch__.Model, cache: Dict[str, Tensor], temperature: float, top_k: int, top_p: float, seed: int) -> int:
    torch.set_grad_enabled(False)
    tokens = torch.tensor(ids, dtype=4, device=model.device)
    if torch.eq(past, 0):
      x = __torch__.first_hidden(torch.unsqueeze(tokens, 0), model, __torch__.no_noise(), __torch__.seen_pictures(pixels, tiles))
    else:
      x = __torch__.with_pictures(__torch__.embed(tokens, model), tokens, __torch__.seen_pictures(pixels, tiles), model)
    n = x.size(0)
    run = __torch__.new_run(model, 1, annotate(List[int], []), past, n)
    for i in range(model.config.layers):
      x = __torch__.layer(x, i, model, run, cache)
    logits = __torch__.head(torch.slice(x, 0, n - 1, n), model, run).to(6).view([-1])
    return __torch__.sample(logits, temperature, top_k, top_p, seed)

  # One of the tensors that lie in a whole one, copied to the CPU; columns 0: a vector.
  def read_tensor(self: __torch__.CausalLm, whole: Tensor, offset: int, rows: int, columns: int) -> Tensor:
    if torch.eq(columns, 0):
      return torch.slice(whole, 0, offset, offset + rows).to(torch.device("cpu"))
    return torch.slice(whole, 0, offset, offset + rows * columns).view([rows, columns]).to(torch.device("cpu"))

  def write_tensor(self: __torch__.CausalLm, whole: Tensor, offset: int, values: Tensor) -> None:
    torch.set_grad_enabled(False)
    torch.copy_(torch.slice(whole, 0, offset, offset + torch.numel(values)), values.reshape([-1]))
    return None

  def read_steps(self: __torch__.CausalLm, trained: __torch__.Trained) -> int:
    return int(trained.steps)

  # Takes this rank's parts of the whole tensors.
  def write_state(self: __torch__.CausalLm, trained: __torch__.Trained, flat: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, rank: int, steps: int) -> None:
    torch.set_grad_enabled(False)
    length = torch.numel(trained.part)
    torch.copy_(trained.flat, flat)
    torch.copy_(trained.exp_avg, torch.slice(exp_avg, 0, rank * length, (rank + 1) * length))
    torch.copy_(trained.exp_avg_sq, torch.slice(exp_avg_sq, 0, rank * length, (rank + 1) * length))
    torch.fill_(trained.steps, steps)
    torch.zero_(trained.gradient)
    return None
