#!/usr/bin/env bash
# Checks that PEFT, transformers, safetensors and TensorBoard read what the trainer writes, and that
# they compute the same logits from it. Prints docs/compatibility.md's tables as Markdown.
#
# usage: bench/peers/run.sh [--curve] > result.md
#
# Builds the trainer if it isn't built, prepares the Python environment and SmolLM2 (prepare.sh),
# then tunes tiny models with every method. --curve also trains SmolLM2 on 1,000 rows beside PEFT,
# which takes about half an hour on two idle cores.
set -euo pipefail
peers=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$peers/../.." && pwd)
trainer=$repository/trainer-image/bin/trainer
work=$repository/.finetune/peers
[ -f "$repository/trainer-image/target/trainer.jar" ] ||
  (cd "$repository" && mvn -B -q -pl trainer-image -am package -DskipTests >&2)
read -r python model < <("$repository/bench/prepare.sh" | tail -n 1)
"$python" -m pip install --quiet --requirement "$peers/requirements.txt"
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE
"$python" "$peers/check.py" --trainer "$trainer" --work "$work/check" \
  --golden "$repository/trainer-image/src/test/resources/golden"
echo
"$python" "$peers/pictures.py" --trainer "$trainer" --work "$work/pictures" \
  --golden "$repository/trainer-image/src/test/resources/golden"
if [ "${1:-}" = --curve ]; then
  echo
  "$python" "$peers/curve.py" --trainer "$trainer" --model "$model" --work "$work/curve"
fi
