# Merges what an adapter adds into rows of a weight, in float32 on the CPU. causal_lm.py says in which
# form of TorchScript this is, and what the numbers of element types mean.

# The bytes of a tensor, in 64-bit numbers, as no other type leaves the script whole: zeros fill the
# last one up. Nothing if an element isn't finite in its type.
def encoded(x: Tensor, dtype: int, per_number: int) -> Tensor:
  x = x.to(dtype).reshape([-1])
  if torch.__not__(bool(torch.all(torch.isfinite(x)))):
    return torch.zeros([0], dtype=4)
  n = torch.numel(x)
  whole = torch.floordiv(n + per_number - 1, per_number) * per_number
  if torch.gt(whole, n):
    x = torch.cat([x, torch.zeros([whole - n], dtype=dtype)])
  return torch.view_copy(x, dtype=4)

class Merge(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # A file as one memory-mapped tensor of bytes; no copy.
  def map_file(self: __torch__.Merge, path: str, count: int) -> Tensor:
    return torch.from_file(path, False, count, dtype=0, layout=0, device=torch.device("cpu"))

  # A copy of a matrix, transposed where asked; the caller's buffer lives no longer than the call.
  def matrix(self: __torch__.Merge, tensor: Tensor, transposed: bool) -> Tensor:
    if transposed:
      return torch.clone(tensor.t(), memory_format=0)
    return torch.clone(tensor)

  # Rows [first, first + rows) of W + scale left right, where left is (out, r) and right (r, in). With
  # a magnitude (out) each row is scaled to it (DoRA, arXiv:2402.09353). The rows of W lie in the file
  # from `offset` on.
  def rows(self: __torch__.Merge, file: Tensor, offset: int, length: int, shape: List[int], dtype: int, first: int, left: Tensor, right: Tensor, scale: float, magnitude: Tensor, per_number: int) -> Tensor:
    torch.set_grad_enabled(False)
    w = torch.view_copy(torch.slice(file, 0, offset, offset + length).clone(), dtype=dtype).view(shape).to(6)
    end = first + shape[0]
    w = torch.addmm(w, torch.slice(left, 0, first, end), right, beta=1., alpha=scale)
    if torch.gt(torch.numel(magnitude), 0):
      norm = torch.linalg_vector_norm(w, 2, [1], True)
      w = w * torch.div(torch.slice(magnitude, 0, first, end).view([-1, 1]), norm)
    return __torch__.encoded(w, dtype, per_number)
