#!/usr/bin/env bash
# Builds what the cluster is made of, from Go modules; all of it is cached (hack/build.sh says where).
#
#   build.sh [FOLDER]
#
# FOLDER, by default e2e/target/bin, gets links to the programs.
set -euo pipefail

[ $# -le 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../../hack/build.sh" --into "${1:-$here/../target/bin}" \
  etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns device-plugin pause
