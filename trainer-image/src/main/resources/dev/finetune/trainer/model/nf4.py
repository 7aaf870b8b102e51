# NF4, the storage of frozen weights in four bits of QLoRA (arXiv:2305.14314), as bitsandbytes has it.
# A weight's n numbers, row by row, are cut into blocks of 64. Each is divided by the largest absolute
# value of its block (its absmax) and becomes the index of the nearest of 16 values; two indices make
# a byte, the first in its upper half. The absmax are quantised again: less their mean, the offset,
# in blocks of 256 with a table of 256 values. A number of W is then
#   values[code] * (absmax_table[absmax_code] * scale + offset)
# in float32, rounded to the type to compute with. The tables come from Nf4.java.
#
# Arithmetic is that of bitsandbytes' PyTorch kernels: a number halfway between two values takes the
# lower, and the divisor is at least 1e-38, so that zeros stay zeros; its CUDA kernels make -absmax of
# them. Like the latter, the last, incomplete block is multiplied with the reciprocal as all are.
# The mean is summed in float64, which doesn't depend on the order.

# The middles between the values of an ascending table.
def midpoints(table: Tensor) -> Tensor:
  n = torch.numel(table)
  return torch.div(torch.add(torch.slice(table, 0, 0, n - 1), torch.slice(table, 0, 1, n)), 2.)

# The index of the nearest value of a table for each number of a block divided by its absmax, and
# the absmax: (n) float32 -> (n filled up to blocks) uint8, (blocks) float32. Zeros fill up.
def nearest(x: Tensor, block: int, table: Tensor) -> Tuple[Tensor, Tensor]:
  missing = torch.remainder(torch.neg(torch.numel(x)), block)
  blocks = torch.constant_pad_nd(x, [0, missing], 0.).view([-1, block])
  absmax = torch.amax(torch.abs(blocks), [1])
  factors = torch.reciprocal(torch.clamp_min(absmax, 1e-38))
  # A product that is rounded to more than 1 belongs to the last value as well.
  codes = torch.bucketize(blocks * torch.unsqueeze(factors, 1), __torch__.midpoints(table), out_int32=True)
  return (codes.to(0).view([-1]), absmax)

# (n) float32 -> two codes a byte, ((n + 1) / 2) uint8, and the absmax, (blocks) float32.
def nf4_quantize(x: Tensor, values: Tensor) -> Tuple[Tensor, Tensor]:
  codes, absmax = __torch__.nearest(x, 64, values)
  pairs = codes.view([-1, 2])
  packed = torch.add(torch.mul(torch.select(pairs, 1, 0), 16), torch.select(pairs, 1, 1))
  return (torch.slice(packed, 0, 0, torch.floordiv(torch.numel(x) + 1, 2)), absmax)

# (blocks) float32 -> (blocks) uint8, their own blocks' absmax as (blocks / 256) float32, and the
# offset, (1) float32.
def absmax_quantize(absmax: Tensor, table: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  offset = torch.mean(absmax, dtype=7).to(6).view([1])
  codes, scales = __torch__.nearest(absmax - offset, 256, table)
  return (torch.slice(codes, 0, 0, torch.numel(absmax)).clone(), scales, offset)

def absmax_dequantize(codes: Tensor, scales: Tensor, offset: Tensor, table: Tensor) -> Tensor:
  scale = torch.unsqueeze(scales, 1).expand([-1, 256]).reshape([-1])
  absmax = torch.index_select(table, 0, codes.to(3)) * torch.slice(scale, 0, 0, torch.numel(codes))
  return torch.add_(absmax, offset)

# Codes and absmax -> (n) of dtype, a piece at a time, in the room for one: `numbers` (piece / 2, 2)
# float32 and `indices` (piece / 2) int32, where piece is a multiple of 64. Without it, what is made
# and dropped for each weight leaves more holes in a CPU's heap.
# `pairs` are the two values of each byte, (256, 2).
def nf4_dequantize(codes: Tensor, absmax: Tensor, n: int, pairs: Tensor, numbers: Tensor, indices: Tensor, dtype: int) -> Tensor:
  out = torch.empty([n], dtype=dtype, device=codes.device)
  piece = torch.numel(numbers)
  start = 0
  while torch.lt(start, n):
    end = ops.prim.min(start + piece, n)
    bytes = torch.slice(codes, 0, torch.floordiv(start, 2), torch.floordiv(end + 1, 2))
    count = torch.numel(bytes)
    index = torch.copy_(torch.slice(indices, 0, 0, count), bytes)
    found = torch.index_select(pairs, 0, index, out=torch.slice(numbers, 0, 0, count)).view([-1])
    first = torch.floordiv(start, 64)
    blocks = torch.floordiv(end - start, 64)
    if torch.gt(blocks, 0):
      factors = torch.unsqueeze(torch.slice(absmax, 0, first, first + blocks), 1)
      torch.mul_(torch.slice(found, 0, 0, blocks * 64).view([-1, 64]), factors)
    if torch.lt(blocks * 64, end - start):
      torch.mul_(torch.slice(found, 0, blocks * 64), torch.slice(absmax, 0, first + blocks))
    torch.copy_(torch.slice(out, 0, start, end), torch.slice(found, 0, 0, end - start))
    start = end
  return out

# The two values of each byte: (16) -> (256, 2).
def value_pairs(values: Tensor) -> Tensor:
  first = torch.unsqueeze(values, 1).expand([16, 16])
  second = torch.unsqueeze(values, 0).expand([16, 16])
  return torch.stack([first, second], -1).reshape([256, 2])

# Puts the tables into weights, and the room for a piece; once, before put_nf4.
def put_nf4_tables(weights: Dict[str, Tensor], values: Tensor, absmax_table: Tensor, piece: int, device: Device) -> None:
  # Copies, since the caller's buffers live no longer than the call.
  weights["nf4.values"] = torch.clone(values).to(device)
  weights["nf4.pairs"] = __torch__.value_pairs(weights["nf4.values"])
  weights["nf4.absmax_table"] = torch.clone(absmax_table).to(device)
  half = torch.floordiv(piece, 2)
  weights["nf4.numbers"] = torch.empty([half, 2], dtype=6, device=device)
  weights["nf4.indices"] = torch.empty([half], dtype=3, device=device)
  return None

# Puts a weight of `shape` (rows, an even number of columns) into weights: NAME.codes (rows,
# columns / 2), NAME.absmax, NAME.scales and NAME.offset. Its numbers of the type `dtype` begin at a
# byte of the file, and are read and quantised a piece at a time, so that memory never holds them all.
def put_nf4(weights: Dict[str, Tensor], name: str, file: Tensor, offset: int, dtype: int, bytes: int, shape: List[int]) -> None:
  values = weights["nf4.values"]
  piece = torch.numel(weights["nf4.numbers"])
  n = shape[0] * shape[1]
  codes = torch.empty([torch.floordiv(n, 2)], dtype=0, device=values.device)
  absmax = torch.empty([torch.floordiv(n + 63, 64)], dtype=6, device=values.device)
  start = 0
  while torch.lt(start, n):
    end = ops.prim.min(start + piece, n)
    # A copy, since a tensor of the file needn't lie on a multiple of its element's size.
    copied = torch.slice(file, 0, offset + start * bytes, offset + end * bytes).clone()
    numbers = torch.view_copy(copied, dtype=dtype).to(values.device, 6)
    piece_codes, piece_absmax = __torch__.nf4_quantize(numbers, values)
    torch.copy_(torch.slice(codes, 0, torch.floordiv(start, 2), torch.floordiv(end, 2)), piece_codes)
    torch.copy_(torch.slice(absmax, 0, torch.floordiv(start, 64), torch.floordiv(end + 63, 64)), piece_absmax)
    start = end
  absmax_codes, scales, mean = __torch__.absmax_quantize(absmax, weights["nf4.absmax_table"])
  weights[name + ".codes"] = codes.view([shape[0], -1])
  weights[name + ".absmax"] = absmax_codes
  weights[name + ".scales"] = scales
  weights[name + ".offset"] = mean
  return None

# A weight that is stored in four bits as (rows, columns) of the type to compute in. It is freed with
# its last user, which is the backward pass if there is one.
def dequantized(name: str, weights: Dict[str, Tensor], dtype: int) -> Tensor:
  codes = weights[name + ".codes"]
  rows, bytes = torch.size(codes)
  absmax = __torch__.absmax_dequantize(weights[name + ".absmax"], weights[name + ".scales"], weights[name + ".offset"], weights["nf4.absmax_table"])
  numbers = __torch__.nf4_dequantize(codes.view([-1]), absmax, rows * bytes * 2, weights["nf4.pairs"], weights["nf4.numbers"], weights["nf4.indices"], dtype)
  return numbers.view([rows, -1])
