#!/usr/bin/env bash
# Starts a real Kubernetes on this machine; the last line of its output is the path of the kubeconfig.
#
#   up.sh [--state FOLDER] [--name NAME] [--index N] [--nodes N] [--gpus N] [--shared FOLDER]
#         [--audit FILE] [--image FILE...] [--fresh]
#
#   --state   where the cluster keeps everything (default: e2e/target/cluster)
#   --name    prefix of its nodes, bridge and network namespaces (default: ft)
#   --index   0 to 11: its addresses, 10.(200+N).0.0/24 for nodes, 10.(244+N).0.0/16 for pods and
#             10.(96+N).0.0/16 for services; two clusters need two names, indices and states (default: 0)
#   --nodes   how many (default: 2); 0 is a control plane alone, which needs no root and no cgroup v1
#   --gpus    nvidia.com/gpu of each node (default: 4); they do not exist
#   --shared  a folder that every node has at the same path, for volumes that all can write
#             (default: FOLDER/shared of the state)
#   --audit   a file for the API server's audit log, every request at level Metadata
#   --image   container images to import on every node, as OCI or Docker archives
#   --fresh   takes down what a cluster before left in the same state
#
# Running it again with the same options starts only what is not running. down.sh ends it.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=control-plane.sh
. "$here/control-plane.sh"
# shellcheck source=nodes.sh
. "$here/nodes.sh"

name=ft index=0 nodes=2 gpus=4 shared="" audit="" images=() fresh=false
use_state ""
while [ $# -gt 0 ]; do
  case $1 in
    --state) use_state "$2" ;;
    --name) name=$2 ;;
    --index) index=$2 ;;
    --nodes) nodes=$2 ;;
    --gpus) gpus=$2 ;;
    --shared) shared=$(realpath -m "$2") ;;
    --audit) audit=$(realpath -m "$2") ;;
    --image)
      while [ $# -gt 1 ] && [[ $2 != --* ]]; do
        images+=("$2")
        shift
      done
      shift
      continue ;;
    --fresh)
      fresh=true
      shift
      continue ;;
    *) usage ;;
  esac
  shift 2
done
shared=${shared:-$state/shared}
[[ $name =~ ^[a-z][a-z0-9-]{0,10}$ ]] || die "--name $name: a small letter, then up to 10 of a-z, 0-9 and -"
[[ $index =~ ^([0-9]|1[01])$ ]] || die "--index $index: 0 to 11"
[[ $state != /run/* ]] || die "--state $state: a node has a /run of its own; choose another folder"
for image in ${images[@]+"${images[@]}"}; do
  [ -f "$image" ] || die "--image $image: there is no such file"
done

if $fresh && [ -f "$state/configuration" ]; then
  "$here/down.sh" --state "$state"
fi
[ "$nodes" = 0 ] || check_machine
layout
mkdir -p "$pki" "$logs" "$pids" "$kubeconfigs" "$shared"
chmod 1777 "$shared"
if [ -f "$state/configuration" ]; then
  saved=$(cat "$state/configuration")
  save_configuration
  [ "$saved" = "$(cat "$state/configuration")" ] || {
    printf '%s\n' "$saved" > "$state/configuration"
    die "the cluster in $state has other options; take it down first, or say --fresh"
  }
fi
save_configuration

up() {
  "$here/build.sh" "$bin"
  make_pki
  if [ "$nodes" != 0 ]; then make_bridge; fi
  start_etcd
  start_apiserver
  wait_for_apiserver
  say "API server ready after $SECONDS s"
  start_controllers
  wait_for_controllers
  say "control plane ready after $SECONDS s"
  [ "$nodes" != 0 ] || return 0
  start_dns
  local i
  "$here/image.sh" localhost/pause:1 "$bin/pause" "$state/pause.tar"
  for i in $(seq "$nodes"); do start_node "$i"; done
  load_images "$state/pause.tar" ${images[@]+"${images[@]}"}
  for i in $(seq "$nodes"); do
    wait_for_node "$i"
    say "$(node_name "$i") ready after $SECONDS s"
  done
}

SECONDS=0
# A cluster that came up halfway is no use, and its processes would stay; its logs are kept.
running kube-apiserver || trap '[ $? = 0 ] || "$here/down.sh" --state "$state" --keep' EXIT
up
echo "$KUBECONFIG"
