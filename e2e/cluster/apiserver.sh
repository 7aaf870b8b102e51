#!/usr/bin/env bash
# Stops the API server, and starts it again with etcd's data as it was.
#
#   apiserver.sh [--state FOLDER] stop|start
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=control-plane.sh
. "$here/control-plane.sh"

use_state ""
if [ "${1:-}" = --state ]; then
  use_state "$2"
  shift 2
fi
[ $# = 1 ] || usage
load_configuration
case $1 in
  stop) stop kube-apiserver KILL ;; # a crash: those who watch it learn of it by a broken connection
  start)
    start_apiserver
    wait_for_apiserver ;;
  *) usage ;;
esac
