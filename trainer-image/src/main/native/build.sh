#!/usr/bin/env bash
# Builds libfinetune_c10d.so, by which the trainer reaches c10d, PyTorch's process groups, inside DJL's libtorch.
#
#   build.sh cpu FILE     with Gloo. LIBTORCH: DJL's jar pytorch-native-cpu, or a folder with its libraries
#   build.sh cuda FILE    with Gloo and NCCL. LIBTORCH: a folder with PyTorch's and NVIDIA's Python packages
#
# Needs g++, a JDK at JAVA_HOME and, the first time, Python 3 with pip: it downloads PyTorch's headers, 99 MB. Headers
# and results are kept below ${XDG_CACHE_HOME:-~/.cache}/finetune-operator; it is compiled once for each state of the
# sources, about 20 seconds. The exit status is 69 where it can't be built here, after a warning that says why.
set -euo pipefail

[ $# = 2 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64; }
flavour=$1 target=$2
case $flavour in
  cpu) defines=(-DUSE_C10D_GLOO) libraries=(-lc10 -ltorch_cpu) headers=headers-cpu.txt ;;
  cuda) defines=(-DUSE_C10D_GLOO -DUSE_C10D_NCCL) libraries=(-lc10 -ltorch_cpu -lc10_cuda -ltorch_cuda)
    headers=headers-cuda.txt ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 64 ;;
esac
libtorch=${LIBTORCH:?says where libtorch is}
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/finetune-operator

say() { printf '[c10d] %s\n' "$*" >&2; }
unavailable() {
  say "WARNING: $1: libfinetune_c10d.so isn't built, so the trainer can't train in several processes, and the tests of that fail. $2"
  exit 69
}

[ "$(uname -sm)" = "Linux x86_64" ] || unavailable "this is $(uname -sm)" "It is built on Linux x86_64."
command -v g++ > /dev/null || unavailable "there is no g++" "To have it: apt-get install g++, and build again."
jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
[ -f "$jdk/include/jni.h" ] || unavailable "$jdk has no include/jni.h" "Point JAVA_HOME at a JDK, and build again."

# Which libtorch it is, without reading 450 MB.
libtorch_version() {
  if [ -f "$libtorch" ]; then basename "$libtorch"; else sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$here/headers-cpu.txt"; fi
}

key=$({ cat "$here"/*.cpp "$here"/*.txt "$here/build.sh"; find "$here/gloo" -type f -print0 | sort -z | xargs -0 cat
  libtorch_version; g++ --version; echo "$flavour"; } | sha256sum | cut -c 1-16)
built=$cache/c10d/$key/libfinetune_c10d.so

# Python packages at their hashes, of which only the headers are kept.
fetch_headers() { # REQUIREMENTS PLATFORM... ; sets `fetched`
  local requirements=$1 platforms=() platform wheel
  shift
  fetched=$cache/c10d/headers-$(sha256sum "$requirements" | cut -c 1-16)
  [ ! -d "$fetched" ] || return 0
  command -v python3 > /dev/null || unavailable "there is no python3" "To have it: apt-get install python3-pip, and build again."
  for platform; do platforms+=(--platform "$platform"); done
  say "downloading headers: $(grep -o '^[a-z0-9-]*==[0-9.]*' "$requirements" | tr '\n' ' ')"
  python3 -m pip --quiet download --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
    "${platforms[@]}" --requirement "$requirements" --dest "$new/wheels" \
    || unavailable "the headers can't be downloaded" "pip says why above; build again with a network."
  mkdir "$new/headers"
  for wheel in "$new"/wheels/*.whl; do
    # The JDK's own unzip.
    (cd "$new/headers" && "$jdk/bin/jar" xf "$wheel" torch/include nvidia)
  done
  find "$new/headers" -type f ! -path '*/include/*' -delete
  mv "$new/headers" "$fetched"
}

build() {
  local includes=() torch folder
  new=$cache/c10d/.building.$$
  mkdir -p "$new"
  trap 'rm -rf "$new"' EXIT
  if [ "$flavour" = cpu ]; then
    fetch_headers "$here/$headers" manylinux_2_28_aarch64
    torch=$fetched/torch
    folder=$libtorch
    if [ -f "$libtorch" ]; then
      folder=$new/pytorch/cpu/linux-x86_64
      (cd "$new" && "$jdk/bin/jar" xf "$libtorch" pytorch/cpu/linux-x86_64)
    fi
  else
    fetch_headers "$here/$headers" manylinux2014_x86_64 manylinux1_x86_64
    torch=$libtorch/torch
    includes=("$libtorch"/nvidia/*/include "$fetched"/nvidia/*/include)
    folder=$libtorch/torch/lib
  fi
  includes+=("$torch/include" "$torch/include/torch/csrc/api/include" "$jdk/include" "$jdk/include/linux")
  say "compiling libfinetune_c10d.so for $flavour"
  # libtorch's own needs, CUDA's libraries among them, are met where it is loaded.
  (cd "$here" && g++ -std=c++17 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror "${defines[@]}" \
    -I. $(printf -- '-isystem %q ' "${includes[@]}") c10d.cpp -o "$new/library.so" \
    -L"$folder" -Wl,--no-as-needed "${libraries[@]}" -Wl,--as-needed -Wl,--no-undefined -Wl,--allow-shlib-undefined -s)
  mkdir -p "$(dirname "$built")"
  mv "$new/library.so" "$built"
}

if [ ! -f "$built" ]; then
  mkdir -p "$cache/c10d"
  # Two builds at once: the second one waits for the first and finds its result.
  if command -v flock > /dev/null; then
    exec 9> "$cache/c10d/lock"
    flock 9
  fi
  [ -f "$built" ] || build
fi
mkdir -p "$(dirname "$target")"
cmp -s "$built" "$target" || cp "$built" "$target"
