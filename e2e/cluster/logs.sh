#!/usr/bin/env bash
# Copies the logs of the cluster's programs and of all its pods, and what the API server says of them.
#
#   logs.sh [--state FOLDER] OUT
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=nodes.sh
. "$here/nodes.sh"

take_state "$@"
shift "$taken"
[ $# = 1 ] || usage
load_configuration
mkdir -p "$1"
cp -r "$logs/." "$1"
for i in $(seq "$nodes"); do
  folder=$(node_folder "$i")/pods
  [ ! -d "$folder" ] || cp -r "$folder" "$1/$(node_name "$i")-pods"
done
# The API server may be what is broken.
kubectl get events --all-namespaces --sort-by .lastTimestamp --request-timeout 10s > "$1/events.txt" 2>&1 || true
kubectl get nodes,pods,jobs --all-namespaces --output wide --request-timeout 10s > "$1/objects.txt" 2>&1 || true
kubectl describe pods --all-namespaces --request-timeout 10s > "$1/pods.txt" 2>&1 || true
say "logs are in $1"
