# What looks at pictures: InternViT (arXiv:2312.14238) and the projector that turns its features into
# embeddings (arXiv:2404.16821). A model that takes text alone has a tower without layers.
#
# Shapes: n tiles of S x S pixels, P = (S / patch)^2 patches of each, C features, C of the language
# model where that is said.
#
# The tower belongs to part 0 of the network, with the embedding. Its forward pass keeps nothing; the
# backward pass computes it again layer by layer, and only as far down as something trains.

class Tower(NamedTuple):
  layers : int
  heads : int
  grid : int                    # patches along a tile's side
  patch : int                   # pixels of a patch's side
  eps : float
  root_mean_square : bool       # the kind of its norms
  token : int                   # id of the token that stands for a piece of a picture
  mean : Tensor                 # of red, green and blue, (3)
  deviation : Tensor            # likewise

# The pictures of one micro-batch.
class Pictures(NamedTuple):
  count : int                   # n; 0: text alone
  pixels : Tensor               # the bytes of (n, S, S, 3), eight in each int64
  dropout : float               # of adapters
  seeds : List[int]             # for the dropout of each layer, and of the projector; none without dropout

def of_channels(numbers: Dict[str, float], name: str) -> Tensor:
  return torch.tensor([numbers[name + ".0"], numbers[name + ".1"], numbers[name + ".2"]], dtype=6)

def read_tower(numbers: Dict[str, float]) -> __torch__.Tower:
  if torch.eq(torch.len(numbers), 0):
    none = torch.zeros([0], dtype=6)
    return __torch__.Tower(0, 1, 0, 0, 0., False, -1, none, none)
  mean = __torch__.of_channels(numbers, "mean")
  deviation = __torch__.of_channels(numbers, "deviation")
  return __torch__.Tower(int(numbers["layers"]), int(numbers["heads"]), int(numbers["grid"]), int(numbers["patch"]), numbers["eps"], torch.eq(numbers["root_mean_square"], 1.), int(numbers["token"]), mean, deviation)

# The pictures of a micro-batch that is trained on, with the seeds that lie behind those of the decoder
# layers, the head and the noise.
def trained_pictures(pixels: Tensor, count: int, dropout: float, seeds: List[int], model: __torch__.Model) -> __torch__.Pictures:
  if torch.eq(dropout, 0.):
    return __torch__.seen_pictures(pixels, count)
  return __torch__.Pictures(count, pixels, dropout, seeds[model.config.layers + 2:])

# Those of one that isn't.
def seen_pictures(pixels: Tensor, count: int) -> __torch__.Pictures:
  return __torch__.Pictures(count, pixels, 0., annotate(List[int], []))

# Whether one of the tensors that train in part 0 is of the tower, or of the projector.
def of_tower(name: str) -> bool:
  return torch.startswith(name, "vision_model.", 0, -1)

def of_projector(name: str) -> bool:
  return torch.startswith(name, "mlp1.", 0, -1)

# The run of the tower's layer i, or of the projector behind the last; its masks come from a seed of its
# own, as a decoder layer's do.
def tower_run(i: int, pictures: __torch__.Pictures, model: __torch__.Model) -> __torch__.Run:
  none = annotate(List[Tensor], [])
  generator = annotate(Optional[Generator], None)
  if torch.gt(pictures.dropout, 0.):
    generator = torch.Generator(device=model.device, seed=pictures.seeds[i])
  return __torch__.Run(pictures.count, annotate(List[int], []), 0, none, none, None, pictures.dropout, generator, model.tuned)

def tower_norm(x: Tensor, name: str, model: __torch__.Model) -> Tensor:
  w = __torch__.weight(name + ".weight", model)
  if model.tower.root_mean_square:
    return __torch__.rms_norm(x, w, model.tower.eps)
  return torch.layer_norm(x, [x.size(-1)], w, __torch__.weight(name + ".bias", model), model.tower.eps, False)

# The values of the patches, normalised in float32 and rounded to the type to compute in: (n P, 3 patch
# patch), in the order of a convolution's weight.
def patches(pictures: __torch__.Pictures, model: __torch__.Model) -> Tensor:
  t = model.tower
  size = t.grid * t.patch
  n = pictures.count
  bytes = torch.view_copy(pictures.pixels, dtype=0)[0:n * size * size * 3].to(model.device)
  x = torch.div(bytes.view([n, size, size, 3]).to(6), 255.)
  x = torch.div(torch.sub(x, t.mean.to(model.device)), t.deviation.to(model.device)).to(model.dtype)
  x = x.view([n, t.grid, t.patch, t.grid, t.patch, 3])
  return torch.permute(x, [0, 1, 3, 5, 2, 4]).reshape([n * t.grid * t.grid, 3 * t.patch * t.patch])

# The first layer's input: a class token, then the patches, with their positions added: (n (1 + P), C).
def tower_input(pictures: __torch__.Pictures, model: __torch__.Model) -> Tensor:
  name = "vision_model.embeddings."
  w = __torch__.weight(name + "patch_embedding.weight", model)
  c = w.size(0)
  x = torch.addmm(__torch__.weight(name + "patch_embedding.bias", model), __torch__.patches(pictures, model), w.reshape([c, -1]).t(), beta=1., alpha=1.)
  first = __torch__.weight(name + "class_embedding", model).view([1, 1, c]).expand([pictures.count, 1, c])
  x = torch.cat([first, x.view([pictures.count, -1, c])], 1)
  return torch.add(x, __torch__.weight(name + "position_embedding", model).view([1, -1, c])).view([-1, c])

# q, k and v of a layer, (n (1 + P), C) each: one linear layer in OpenGVLab's form, three in that of
# transformers. Where they have norms, those are over all heads.
def tower_heads(h: Tensor, name: str, model: __torch__.Model, run: __torch__.Run) -> Tuple[Tensor, Tensor, Tensor]:
  if __torch__.has_weight(name + "qkv.weight", model):
    q, k, v = torch.chunk(__torch__.linear(h, name + "qkv", model, run), 3, -1)
  else:
    q = __torch__.linear(h, name + "q_proj", model, run)
    k = __torch__.linear(h, name + "k_proj", model, run)
    v = __torch__.linear(h, name + "v_proj", model, run)
  if __torch__.has_weight(name + "q_norm.weight", model):
    q = __torch__.rms_norm(q, __torch__.weight(name + "q_norm.weight", model), model.tower.eps)
    k = __torch__.rms_norm(k, __torch__.weight(name + "k_norm.weight", model), model.tower.eps)
  return (q, k, v)

# (n (1 + P), C) -> (n (1 + P), C)
def tower_layer(x: Tensor, i: int, pictures: __torch__.Pictures, model: __torch__.Model) -> Tensor:
  run = __torch__.tower_run(i, pictures, model)
  name = "vision_model.encoder.layers." + str(i) + "."
  h = __torch__.tower_norm(x, name + "norm1", model)
  q, k, v = __torch__.tower_heads(h, name + "attn.", model, run)
  size = torch.floordiv(x.size(1), model.tower.heads)
  q = __torch__.split_heads(q, run.rows, size)
  k = __torch__.split_heads(k, run.rows, size)
  v = __torch__.split_heads(v, run.rows, size)
  o = torch.scaled_dot_product_attention(q, k, v, None, 0., False)
  o = __torch__.linear(o.transpose(1, 2).reshape(torch.size(x)), name + "attn.proj", model, run)
  x = torch.add(x, o * __torch__.weight(name + "ls1", model))
  h = torch.gelu(__torch__.linear(__torch__.tower_norm(x, name + "norm2", model), name + "mlp.fc1", model, run))
  return torch.add(x, __torch__.linear(h, name + "mlp.fc2", model, run) * __torch__.weight(name + "ls2", model))

# The embeddings of the pieces of the pictures from the last layer's result, (n (1 + P), C) ->
# (n P / 4, C of the language model): the class token is dropped, each two by two patches become one
# piece (pixel shuffle, "v2" of the reference), and the projector works on that.
def projected(x: Tensor, pictures: __torch__.Pictures, model: __torch__.Model) -> Tensor:
  n = pictures.count
  c = x.size(1)
  half = torch.floordiv(model.tower.grid, 2)
  x = torch.slice(x.view([n, -1, c]), 1, 1)
  x = torch.permute(x.reshape([n, half, 2, half, 2, c]), [0, 1, 3, 2, 4, 5]).reshape([n * half * half, 4 * c])
  run = __torch__.tower_run(model.tower.layers, pictures, model)
  # The projector's norm has PyTorch's default, and not the tower's.
  h = torch.layer_norm(x, [4 * c], __torch__.weight("mlp1.0.weight", model), __torch__.weight("mlp1.0.bias", model), 1.e-05, False)
  return __torch__.linear(torch.gelu(__torch__.linear(h, "mlp1.1", model, run)), "mlp1.3", model, run)

# Embeddings (N, C) with those of the pieces in the places of their tokens, in order over the whole
# micro-batch.
def placed(x: Tensor, ids: Tensor, pieces: Tensor, model: __torch__.Model) -> Tensor:
  positions = torch.squeeze(torch.nonzero(torch.eq(ids.view([-1]), model.tower.token)), 1)
  return torch.index_copy(x, 0, positions, pieces)

# The last layer's result, (n (1 + P), C); `keep` adds each layer's input to `inputs`.
def tower_output(pictures: __torch__.Pictures, model: __torch__.Model, inputs: List[Tensor], keep: bool) -> Tensor:
  h = __torch__.tower_input(pictures, model)
  for i in range(model.tower.layers):
    if keep:
      inputs.append(h)
    h = __torch__.tower_layer(h, i, pictures, model)
  return h

def with_pictures(x: Tensor, ids: Tensor, pictures: __torch__.Pictures, model: __torch__.Model) -> Tensor:
  if torch.eq(pictures.count, 0):
    return x
  none = annotate(List[Tensor], [])
  pieces = __torch__.projected(__torch__.tower_output(pictures, model, none, False), pictures, model)
  return __torch__.placed(x, ids, pieces, model)

# Backward through the tower from the gradient of its last layer's result, (n (1 + P), C). `inputs` are
# those of its layers, and are taken apart.
def tower_backward(inputs: List[Tensor], gradient: Tensor, pictures: __torch__.Pictures, model: __torch__.Model, trained: __torch__.Trained) -> None:
  embeddings = annotate(List[str], [])
  lowest = model.tower.layers
  for name in trained.parts[0]:
    if torch.startswith(name, "vision_model.embeddings.", 0, -1):
      embeddings.append(name)
  for j in range(model.tower.layers):
    i = model.tower.layers - 1 - j
    if torch.gt(torch.len(__torch__.names_of(trained, "vision_model.encoder.layers." + str(i) + ".")), 0):
      lowest = i
  if torch.gt(torch.len(embeddings), 0):
    lowest = -1
  for j in range(model.tower.layers):
    i = model.tower.layers - 1 - j
    if torch.ge(i, lowest):
      names = __torch__.names_of(trained, "vision_model.encoder.layers." + str(i) + ".")
      further = torch.gt(i, lowest)
      torch.set_grad_enabled(True)
      x = torch.requires_grad_(inputs.pop(-1).detach(), further)
      y = __torch__.tower_layer(x, i, pictures, model)
      wanted = __torch__.leaves_of(trained, names)
      if further:
        wanted.append(x)
      found = torch.grad([y], wanted, annotate(List[Optional[Tensor]], [gradient]))
      torch.set_grad_enabled(False)
      if further:
        gradient = unchecked_cast(Tensor, found.pop(-1))
      __torch__.add_gradients_of(trained, names, found)
  if torch.gt(torch.len(embeddings), 0):
    torch.set_grad_enabled(True)
    y = __torch__.tower_input(pictures, model)
    found = torch.grad([y], __torch__.leaves_of(trained, embeddings), annotate(List[Optional[Tensor]], [gradient]))
    torch.set_grad_enabled(False)
    __torch__.add_gradients_of(trained, embeddings, found)
  return None
