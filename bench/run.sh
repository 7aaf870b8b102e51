#!/usr/bin/env bash
# Measures the trainer against PEFT on SmolLM2-135M-Instruct and prints the result as Markdown.
#
# usage: bench/run.sh [--rounds N] [--steps N] > result.md
#
# Builds the trainer if it isn't built, prepares the peer and the model (prepare.sh), then runs both
# sides by turns on two threads. Five rounds take about half an hour on two idle cores.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$bench")
trainer=$repository/trainer-image/bin/trainer
[ -f "$repository/trainer-image/target/trainer.jar" ] ||
  (cd "$repository" && mvn -B -q -pl trainer-image -am package -DskipTests >&2)
read -r python model < <("$bench/prepare.sh" | tail -n 1)
exec "$python" "$bench/compare.py" --trainer "$trainer" --python "$python" --model "$model" \
  --work "$repository/.finetune/bench" "$@"
