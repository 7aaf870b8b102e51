#!/usr/bin/env bash
# Applies N jobs at once to a control plane with simulated nodes and prints a table of what that took.
#
#   bench/scale/run.sh N [--side SIDE]... [--idle SECONDS] [--results FOLDER]
#
#   --side   finetune (default), kubeflow-default (training-operator v1.8.1 as it comes) or kubeflow-raised
#            (v1.9.3 with its client's limits raised); several are measured one after the other, each on a
#            cluster of its own, and compared with the first
#
# Needs root (for the simulated pods' network), Go and Java; the first time it builds Kubernetes, kwok and the
# peer, an hour on two cores.
set -euo pipefail
scale=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$scale/../.." && pwd)
cluster=${CLUSTER_SCRIPTS:-$root/e2e/cluster}
# shellcheck source=../../e2e/cluster/lib.sh
. "$cluster/lib.sh"
# shellcheck source=lib.sh
. "$scale/lib.sh"
[[ ${1:-} =~ ^[0-9]+$ ]] || usage
n=$1 idle=60 results=$root/.finetune/scale sides=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --side) sides+=("$2") ;;
    --idle) idle=$2 ;;
    --results) results=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ ${#sides[@]} -gt 0 ] || sides=(finetune)
use_state "$results/cluster"
tools=$results/bin audit_log=$results/audit.log port=38080
# shellcheck source=peer.sh
. "$scale/peer.sh"

# Appends the result of one phase to the side's file; the operator is the first of the sampled processes.
phase() { # COMMAND PHASE OPTION...
  local command=$1 phase=$2 processes="" process
  shift 2
  for process in operator kube-apiserver etcd kube-controller-manager kube-scheduler kwok; do
    processes+="$process=$(pid_of "$process"),"
  done
  "$tools/load" "$command" --phase "$phase" --side "$side" --kubeconfig "$state/kubeconfig" --audit "$audit_log" \
    --user "$user" --processes "$processes" --out "$results/$side.jsonl" "${resource[@]}" "$@" 2>&1 | tee -a "$results/$side.txt"
}

# The phases that every side goes through.
measure() {
  phase idle idle-before --length 15s
  phase create create --run wave --n "$n" --until running --timeout 5m
  # Twenty trainers a second are asked for the first time, whose answers are news.
  [ "$side" != finetune ] || sleep $((n / 20 + 15))
  phase idle idle-running --length "${idle}s"
  [ "$side" != finetune ] || measure_trainers
  # Events are written beside the statuses and may end after them.
  phase complete complete --run wave --n "$n" --timeout 5m --trailing $((n / 25 + 5))s
  phase idle idle-succeeded --length "${idle}s"
}

# All trainers make progress; then none can be reached, while ten more jobs are applied.
measure_trainers() {
  echo moving > "$state/trainers"
  phase idle training --length "${idle}s"
  echo still > "$state/trainers"
  trainers_fall_silent
  phase idle silent --length "${idle}s"
  phase create create-beside-silent --run late --n 10 --until running
  trainers_answer
}

measure_side() { # finetune|kubeflow-default|kubeflow-raised
  side=$1
  rm -f "$results/$side".*
  start_cluster
  if [ "$side" = finetune ]; then
    resource=(--api apis/finetune.dev/v1alpha1 --resource finetunejobs --pod-label finetune.dev/job
      --jobs-label finetune.dev/job --container trainer --template "$scale/manifests/finetunejob.json"
      --message "$scale/manifests/done.json")
    start_trainers
    start_finetune_operator
  else
    resource=(--api apis/kubeflow.org/v1 --resource pytorchjobs --pod-label training.kubeflow.org/job-name
      --container pytorch --template "$scale/manifests/pytorchjob.json")
    start_training_operator "${side#kubeflow-}"
  fi
  measure
  stop_trainers
  stop_cluster
}

leave() {
  local status=$?
  [ $status = 0 ] || { cp -r "$logs" "$results/" && say "failed; the logs are in $results/logs"; }
  stop_trainers
  [ ! -f "$state/configuration" ] || stop_cluster
}

mkdir -p "$results"
"$scale/build.sh" "$tools" "${sides[@]}"
trap leave EXIT
trap "exit 130" INT
trap "exit 143" TERM
for each in "${sides[@]}"; do
  measure_side "$each"
done
files=()
for each in "${sides[@]}"; do
  files+=("$results/$each.jsonl")
done
"$tools/load" table "${files[@]}"
