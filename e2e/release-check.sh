#!/usr/bin/env bash
# Checks the operator together with programs that take too long to build for every build: by hand,
# before a release.
#
#   release-check.sh [PART...]
#
#   argocd   jobs from a git repository, kept in sync by the real Argo CD (docs/gitops.md)
#   kueue    jobs in the queues of a real Kueue (docs/queueing.md)
#   peers    what the trainer writes, read by PEFT, transformers and TensorBoard (docs/compatibility.md)
#
# Without PART all of them, one after the other. Each is a script of its own in release-check/, with a
# cluster of its own where it needs one, and prints each of its checks. The exit status is 1 where a part failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64; }

[ $# -gt 0 ] || set -- argocd kueue peers
for part; do
  case $part in
    argocd | kueue | peers) ;;
    *) usage ;;
  esac
done
failed=()
for part; do
  printf '[release-check] %s\n' "$part"
  "$here/release-check/$part.sh" || failed+=("$part")
done
[ ${#failed[@]} = 0 ] || { printf '[release-check] failed: %s\n' "${failed[*]}"; exit 1; }
printf '[release-check] passed\n'
