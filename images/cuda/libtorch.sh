#!/usr/bin/env bash
# Puts libtorch for CUDA into a folder, with the CUDA libraries that it was built with: DJL's own CUDA libraries
# aren't published for this release, so these come from PyTorch's Python packages, of which only the libraries stay.
#
#   images/cuda/libtorch.sh FOLDER     3.4 GB are downloaded, 4.4 GB kept
#
# Needs Python 3 with pip, and g++ and a JDK for lib/libfinetune_c10d.so, the trainer's own library over c10d and NCCL.
# Versions and hashes are in requirements.txt beside this file; its PyTorch must be the one of the pom. The libraries find each other by their relative paths, so FOLDER keeps the packages' layout; the
# driver's libcuda.so.1 comes from the node.
set -euo pipefail

[ $# = 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64; }
folder=$1
requirements=$(dirname "$(readlink -f "$0")")/requirements.txt
native=$(cd "$(dirname "$requirements")/../../trainer-image/src/main/native" && pwd)
stamp=$folder/.stamp
inputs=$({ cat "$requirements"; find "$native" -type f -print0 | sort -z | xargs -0 cat; } | sha256sum)
if [ "$(cat "$stamp" 2> /dev/null)" = "$inputs" ]; then
  printf '[cuda] %s is up to date\n' "$folder" >&2
  exit 0
fi

rm -rf "$folder"
mkdir -p "$folder"
printf '[cuda] downloading PyTorch and the CUDA libraries, 3.4 GB\n' >&2
python3 -m pip install --quiet --no-deps --no-compile --require-hashes --only-binary=:all: --target "$folder" \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  --python-version 3.11 --requirement "$requirements"

# While the packages' headers are there. 69: it can't be built here, and the trainer says so when it needs it.
LIBTORCH=$(readlink -f "$folder") "$native/build.sh" cuda "$folder/lib/libfinetune_c10d.so" || [ $? = 69 ]

printf '[cuda] leaving only the libraries\n' >&2
find "$folder" -type f ! -path '*/lib/*.so*' ! -iname '*license*' -delete
# Python's, and the one that can't be loaded where there is no driver: libtorch opens NVRTC itself when it needs it.
rm -f "$folder"/torch/lib/libtorch_python.so "$folder"/torch/lib/libshm.so "$folder"/torch/lib/libcaffe2_nvrtc.so
find "$folder" -type d -empty -delete
chmod -R u=rwX,go=rX "$folder"
if [ -f "$folder/lib/libfinetune_c10d.so" ]; then
  printf '%s\n' "$inputs" > "$stamp"
fi
