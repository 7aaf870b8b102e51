#!/usr/bin/env bash
# What the trainer writes, read by PEFT, transformers, safetensors and TensorBoard. Needs no cluster;
# the Python environment takes 6 GB.
set -euo pipefail
exec "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../../bench/peers/run.sh"
