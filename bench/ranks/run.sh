#!/usr/bin/env bash
# Measures what several ranks cost and bring on this machine's CPU, and prints Markdown: the collectives by size, two
# ranks of one thread beside one rank of two, and the memory of each rank.
#
#   bench/ranks/run.sh [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
work=$repository/.finetune/ranks
jar=$repository/trainer-image/target/trainer.jar
[ -f "$jar" ] || (cd "$repository" && mvn -B -q -pl trainer-image -am package -DskipTests >&2)
[ -f "$work/model/config.json" ] || python3 "$here/model.py" "$repository/examples/models/tiny-chat" "$work/model"

echo "| two processes, one thread each | MiB | ms, min / median |"
echo "| --- | --- | --- |"
port=$((20000 + RANDOM % 10000))
export OPT_OUT_TRACKING=true OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
java -cp "$jar" "$here/Collectives.java" 1 2 "$port" > /dev/null 2>&1 &
java -cp "$jar" "$here/Collectives.java" 0 2 "$port" 2> /dev/null
wait
unset OMP_NUM_THREADS
echo
python3 "$here/compare.py" "$repository/trainer-image/bin/trainer" "$work/model" "$work" "${1:-3}"
