#!/usr/bin/env bash
# Stops the API server, and starts it again with etcd's data as it was.
#
#   apiserver.sh [--state FOLDER] stop|start
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=control-plane.sh
. "$here/control-plane.sh"

take_state "$@"
shift "$taken"
[ $# = 1 ] || usage
load_configuration
case $1 in
  stop) stop kube-apiserver KILL ;; # a crash: those who watch it learn of it by a broken connection
  start)
    start_apiserver
    wait_for_apiserver ;;
  *) usage ;;
esac
