#!/usr/bin/env bash
# Builds what run.sh needs besides the cluster: the load client, kwok, and the peer's versions, from
# their Go modules, each once.
#
#   bench/scale/build.sh FOLDER [kubeflow-default] [kubeflow-raised]
set -euo pipefail
scale=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
command -v go > /dev/null || { echo "Go is missing; see https://go.dev/dl" >&2; exit 69; }
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off

build() { # MODULE NAME PACKAGE
  printf '[build] %s\n' "$2" >&2
  (cd "$scale/$1" && go build -mod=readonly -trimpath -ldflags "-s -w" -o "$folder/$2" "$3")
}

peer() { # VERSION
  [ -x "$folder/training-operator-$1" ] ||
    build "peer/training-operator-$1" "training-operator-$1" github.com/kubeflow/training-operator/cmd/training-operator.v1
}

build load load .
"$scale/../../hack/build.sh" --into "$folder" kwok
for side; do
  case $side in
    kubeflow-default) peer 1.8.1 ;;
    kubeflow-raised) peer 1.9.3 ;;
  esac
done
