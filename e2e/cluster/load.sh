#!/usr/bin/env bash
# Imports container images, OCI or Docker archives, on every node.
#
#   load.sh [--state FOLDER] FILE...
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=nodes.sh
. "$here/nodes.sh"

take_state "$@"
shift "$taken"
[ $# -gt 0 ] || usage
load_configuration
load_images "$@"
