#!/usr/bin/env bash
# Builds etcd and kube-apiserver from their Go modules, for tests on a real API server.
#
#   hack/kube-binaries.sh FOLDER
#
# The binaries go to ${XDG_CACHE_HOME:-~/.cache}/finetune-operator, once for each version; FOLDER gets
# a link to them in the layout that Fabric8's kube-api-test looks for. The versions, and the checksum
# of every module, stand in kubernetes/ and etcd/ beside this script.
#
# Where there is no Go, or one that is too old, it is taken from the Go module proxy. If that fails
# too, FOLDER gets a file `download` instead, and kube-api-test downloads the binaries itself.
set -euo pipefail

[ $# = 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/finetune-operator
mkdir -p "$cache"
SECONDS=0

say() { printf '[kube-binaries] %s\n' "$*"; }
elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }
version_of() { sed -n "s#^\(require \)\{0,1\}[[:space:]]*$2 v\([0-9.]*\)\$#\2#p" "$here/$1/go.mod"; }

kubernetes=$(version_of kubernetes k8s.io/kubernetes)
etcd=$(version_of etcd go.etcd.io/etcd/server/v3)
go_version=1.26.8
case "$(uname -sm)" in
  "Linux x86_64") platform=linux-amd64 go_sha256=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7 ;;
  "Linux aarch64") platform=linux-arm64 go_sha256=02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99 ;;
  "Darwin arm64") platform=darwin-arm64 go_sha256=0aad5fb52b88498885290178adc0bcfe429bc63012621af9f83282eb640bd9c7 ;;
  *) platform=unknown ;;
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

# Whether a go command can build the modules: an older one doesn't understand their go.mod.
suits() { (cd "$here/kubernetes" && "$1" list -m > /dev/null 2>&1); }

# Sets `go`. The Go module proxy serves Go itself, as the module golang.org/toolchain.
find_go() {
  local name="golang.org/toolchain@v0.0.1-go$go_version.$platform" proxy
  local home="$cache/go-$go_version"
  for go in go "$home/$name/bin/go"; do
    if suits "$go"; then return; fi
  done
  [ "$platform" != unknown ] || return 1
  proxy=$(printf '%s' "${GOPROXY:-https://proxy.golang.org}" | cut -d , -f 1)
  say "no Go of version $(sed -n 's/^go //p' "$here/kubernetes/go.mod") or newer; taking Go $go_version from $proxy (70 MB)"
  curl --silent --show-error --fail --location --output "$new.zip" "$proxy/${name/@//@v/}.zip" || return 1
  printf '%s  %s\n' "$go_sha256" "$new.zip" | sha256sum --check --quiet || return 1
  rm -rf "$home"
  mkdir -p "$home"
  # The JDK's own unzip; file modes are not in the archive.
  (cd "$home" && jar xf "$new.zip" && chmod +x "$name"/bin/* "$name"/pkg/tool/*/*) || return 1
  rm "$new.zip"
  suits "$go"
}

# Prints what is being compiled until the process ends; fails as it does.
watch() { # NAME PID LOG
  local last=$SECONDS now
  while kill -0 "$2" 2> /dev/null; do
    sleep 1
    if [ $((SECONDS - last)) -ge 10 ]; then
      last=$SECONDS
      now=$(tail -n 1 "$3" | cut -c 1-80)
      say "$(elapsed) $1: $(wc -l < "$3") packages so far, now ${now:-reading the modules or linking}"
    fi
  done
  wait "$2" || { say "$1 could not be built:"; tail -n 20 "$3"; return 1; }
}

build() { # MODULE PACKAGE NAME VERSION LINKER-FLAGS
  local log="$new/$3.log"
  say "$(elapsed) $3 $4"
  (cd "$here/$1" && exec "$go" build -v -mod=readonly -trimpath -ldflags "-s -w $5" -o "$new/$3" "$2") \
    > "$log" 2>&1 &
  watch "$3" $! "$log"
  rm "$log"
}

build_all() {
  mkdir -p "$new"
  say "building etcd $etcd and kube-apiserver $kubernetes for the tests on a real API server"
  say "this takes 5 to 40 minutes the first time, and is kept in $cache"
  # As Kubernetes' own build stamps them; the API server derives its features from the version.
  local minor=${kubernetes#*.} flags="" package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$kubernetes -X $package.gitMajor=${kubernetes%%.*}"
    flags+=" -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
  done
  build etcd go.etcd.io/etcd/server/v3 etcd "$etcd" ""
  build kubernetes k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver "$kubernetes" "$flags"
  kubectl_stand_in > "$new/kubectl"
  chmod +x "$new/kubectl"
  mv "$new" "$target"
  say "built in $(elapsed)"
}

# Two builds at once: the second one waits for the first and finds its result.
lock() {
  command -v flock > /dev/null || return 0
  exec 9> "$cache/.lock"
  until flock --timeout 10 9; do
    say "$(elapsed) waiting for another build of the same binaries"
  done
}

rm -rf "$folder/k8s" "$folder/download"
target="$cache/kubernetes-$kubernetes-etcd-$etcd-$platform"
if ! [ -d "$target" ]; then
  lock
fi
if ! [ -d "$target" ]; then
  new="$cache/.building.$$"
  trap 'rm -rf "$new" "$new.zip"' EXIT
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off
  if ! find_go; then
    say "Go is not to be had: kube-api-test will download the binaries"
    touch "$folder/download"
    exit 0
  fi
  build_all
fi

bin="$folder/k8s/$kubernetes-$platform"
mkdir -p "$bin"
ln -s "$target/etcd" "$target/kube-apiserver" "$bin/"
ln -s "$(command -v kubectl || echo "$target/kubectl")" "$bin/kubectl"
say "etcd $etcd and kube-apiserver $kubernetes are in $target"
