#!/usr/bin/env bash
# Checks the operator together with programs that take too long to build for every build. Run by hand
# before a release; what was seen goes to the docs.
#
#   release-check.sh [--state FOLDER] [--name NAME] [--index N] PART...
#
#   argocd   Argo CD's application controller and repo server, with jobs from a git repository: docs/gitops.md
#
#   --state, --name, --index   of the part's cluster, as cluster/up.sh has them
#                              (default: e2e/target/release, rc and 9)
#
# Every check is printed as it passes or fails, and the exit status is 1 where one failed. The operator
# runs from its jar (mvn -pl operator -am package -DskipTests); pods have no node, the script plays the
# kubelet and the trainer. Needs a JDK, git, curl, openssl and python3, and no root.
set -euo pipefail
# shellcheck source=cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/cluster/lib.sh"
root=$(cd "$here/../.." && pwd)
# shellcheck source=release/checks.sh
. "$root/e2e/release/checks.sh"
# shellcheck source=release/cluster.sh
. "$root/e2e/release/cluster.sh"

name=rc index=9 parts=()
use_state "$root/e2e/target/release"
while [ $# -gt 0 ]; do
  case $1 in
    --state) use_state "$2"; shift 2 ;;
    --name) name=$2; shift 2 ;;
    --index) index=$2; shift 2 ;;
    argocd) parts+=("$1"); shift ;;
    *) usage ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || usage

for part in "${parts[@]}"; do
  say "part $part"
  # shellcheck source=/dev/null
  . "$root/e2e/release/$part.sh"
  cluster_up
  trap cluster_down EXIT
  "check_$part"
  cluster_down
  trap - EXIT
done
summary
