#!/usr/bin/env bash
# Checks FineTuneJobs in the queues of a real Kueue, on a cluster that it starts and ends.
#
#   kueue.sh [--prepare FOLDER]
#
# It builds Kueue from its Go module (10 to 30 minutes the first time, then kept) and runs the test class
# KueueReleaseCheck, which installs Kueue from its own Helm chart and prints each check.
#
#   --prepare  only make what the test class installs, in FOLDER, its -De2e.kueue
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$root/e2e/target/kueue
prepare_only=false
case "${1:-}" in
  "") ;;
  --prepare)
    [ $# = 2 ] || usage
    folder=$2 prepare_only=true ;;
  *) usage ;;
esac

"$root/hack/build.sh" --into "$folder" kueue
# Kueue's chart starts /manager.
ln -sf kueue "$folder/manager"
"$root/e2e/cluster/image.sh" localhost/kueue:1 "$folder/manager" "$folder/kueue.tar"
if $prepare_only; then
  exit 0
fi
cd "$root"
mvn --batch-mode --no-transfer-progress -Pe2e -pl e2e -am -DskipTests verify \
  -Dit.test=KueueReleaseCheck -Dfailsafe.failIfNoSpecifiedTests=false -De2e.kueue="$folder"
