#!/usr/bin/env bash
# Builds etcd and kube-apiserver for tests on a real API server.
#
#   hack/kube-binaries.sh FOLDER
#
# FOLDER gets links to them in the layout that Fabric8's kube-api-test looks for. Where Go is not to be
# had, FOLDER gets a file `download` instead, and kube-api-test downloads the binaries itself.
set -euo pipefail

[ $# = 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's/^require k8s.io\/kubernetes v//p' "$here/kubernetes/go.mod")
case "$(uname -m)" in
  x86_64) architecture=amd64 ;;
  *) architecture=arm64 ;;
esac

# kube-api-test wants a kubectl, only to run `kubectl ... get ns default`.
kubectl_stand_in() {
  cat << 'KUBECTL'
#!/bin/sh
# Stands in for kubectl where there is none: asks for the namespace default, which is all that
# kube-api-test wants of it.
for argument; do
  case $argument in
    --client-certificate=*) certificate=${argument#*=} ;;
    --client-key=*) key=${argument#*=} ;;
    --server=*) server=${argument#*=} ;;
  esac
done
exec curl --silent --show-error --fail --insecure --max-time 5 --output /dev/null \
  --cert "$certificate" --key "$key" "$server/api/v1/namespaces/default"
KUBECTL
}

rm -rf "$1/k8s" "$1/download"
bin="$1/k8s/$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$architecture"
status=0
"$here/build.sh" --into "$bin" etcd kube-apiserver || status=$?
if [ $status = 69 ]; then # build.sh: Go is not to be had
  rm -rf "$1/k8s"
  touch "$1/download"
  exit 0
fi
[ $status = 0 ] || exit $status
if command -v kubectl > /dev/null; then
  ln -s "$(command -v kubectl)" "$bin/kubectl"
else
  kubectl_stand_in > "$bin/kubectl"
  chmod +x "$bin/kubectl"
fi
