#!/usr/bin/env bash
# Ends what up.sh started, and removes its state.
#
#   down.sh [--state FOLDER] [--keep]
#
#   --keep   leaves the state (etcd's data, keys, the nodes' images, logs): up.sh goes on from there
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=nodes.sh
. "$here/nodes.sh"

keep=false
use_state ""
while [ $# -gt 0 ]; do
  case $1 in
    --state) use_state "$2"; shift 2 ;;
    --keep) keep=true; shift ;;
    *) usage ;;
  esac
done
[ -f "$state/configuration" ] || exit 0
load_configuration

for i in $(seq "$nodes"); do kill_node "$i"; done
# At once: the API server would wait for those who watch it, and only etcd has something to write.
for process in coredns kube-scheduler kube-controller-manager kube-apiserver; do stop "$process" KILL; done
stop etcd
if [ "$nodes" != 0 ]; then ip link del "$bridge" 2> /dev/null || true; fi
$keep || rm -rf --one-file-system "$state"
