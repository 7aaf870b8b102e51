#!/usr/bin/env bash
# Cuts the power of a node, and gives it back. Its disk is kept: images, and what its pods wrote. Or cuts the
# network between its pods and those of the other nodes, and mends it.
#
#   node.sh [--state FOLDER] kill|start|cut|mend N
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=nodes.sh
. "$here/nodes.sh"

take_state "$@"
shift "$taken"
[ $# = 2 ] || usage
load_configuration
[[ $2 =~ ^[0-9]+$ ]] && [ "$2" -ge 1 ] && [ "$2" -le "$nodes" ] || die "no node $2: there are 1 to $nodes"
case $1 in
  kill) kill_node "$2" ;;
  start)
    start_node "$2"
    wait_for_node "$2" ;;
  cut) cut_pods_off "$2" ;;
  mend) route_to_pods "$2" ;;
  *) usage ;;
esac
