#!/usr/bin/env bash
# Builds programs that the tests run, those of a real Kubernetes among them, from their Go modules.
#
#   hack/build.sh --into FOLDER PROGRAM...
#
# A program goes to ${XDG_CACHE_HOME:-~/.cache}/finetune-operator, once for each version; FOLDER gets a
# link to it, and PROGRAM.files to what is installed along with it: Kueue's Helm chart, Argo CD's
# manifests. The versions, and the checksum of every module, stand in the go.mod and go.sum of the folder
# that `describe` below names.
#
# Where there is no Go, or one that is too old, it is taken from the Go module proxy. If that fails too
# the exit status is 69.
set -euo pipefail

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 64; }
[ $# -ge 3 ] && [ "$1" = --into ] || usage
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)
shift 2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/finetune-operator
mkdir -p "$cache"
SECONDS=0

say() { printf '[build] %s\n' "$*" >&2; }
elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

go_version=1.26.8
case "$(uname -sm)" in
  "Linux x86_64") platform=linux-amd64 go_sha256=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7 ;;
  "Linux aarch64") platform=linux-arm64 go_sha256=02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99 ;;
  "Darwin arm64") platform=darwin-arm64 go_sha256=0aad5fb52b88498885290178adc0bcfe429bc63012621af9f83282eb640bd9c7 ;;
  *) platform=unknown ;;
esac

# Sets where a program's go.mod is, its package, its version, the flags that stamp the version into it,
# and the folder of its module that is installed along with it.
describe() { # PROGRAM
  flags="" files=""
  case $1 in
    etcd) module=hack/etcd package=go.etcd.io/etcd/server/v3 ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kube-proxy | kubelet | kubectl)
      module=hack/kubernetes package=k8s.io/kubernetes/cmd/$1 ;;
    kwok) module=hack/kwok package=sigs.k8s.io/kwok/cmd/kwok ;;
    kueue)
      module=hack/kueue package=sigs.k8s.io/kueue/cmd/kueue files=charts/kueue ;;
    coredns) module=hack/coredns package=. ;;
    argo-cd) module=hack/argo-cd package=. files=manifests ;;
    device-plugin | pause) module=e2e/cluster/programs package=./$1 ;;
    *) say "no program $1: hack/build.sh says which there are"; exit 64 ;;
  esac
  case $package in
    .*) # Our own source: the version is its content.
      version=$(cd "$root/$module" && find . -name '*.go' -o -name 'go.*' | sort | xargs cat | sha256sum | cut -c 1-12) ;;
    *) version=$(sed -n 's/^require [^ ]* v\([0-9.]*\)$/\1/p' "$root/$module/go.mod") ;;
  esac
  case $module in
    hack/kueue) flags="-X sigs.k8s.io/kueue/pkg/version.GitVersion=v$version" ;;
    hack/kubernetes)
      # As Kubernetes' own build stamps them; the API server derives its features from the version.
      local minor=${version#*.} variables
      for variables in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $variables.gitVersion=v$version -X $variables.gitMajor=${version%%.*}"
        flags+=" -X $variables.gitMinor=${minor%%.*} -X $variables.gitTreeState=clean"
      done ;;
  esac
  binary="$cache/${module##*/}-$version-$platform/$1"
}

# Whether a go command can build the modules: an older one doesn't understand their go.mod.
suits() { (cd "$root/hack/kubernetes" && "$1" list -m > /dev/null 2>&1); }

# Sets `go`. The Go module proxy serves Go itself, as the module golang.org/toolchain.
find_go() {
  local name="golang.org/toolchain@v0.0.1-go$go_version.$platform" proxy
  local home="$cache/go-$go_version"
  for go in go "$home/$name/bin/go"; do
    if suits "$go"; then return; fi
  done
  [ "$platform" != unknown ] || return 1
  proxy=$(printf '%s' "${GOPROXY:-https://proxy.golang.org}" | cut -d , -f 1)
  say "no Go of version $(sed -n 's/^go //p' "$root/hack/kubernetes/go.mod") or newer; taking Go $go_version from $proxy (70 MB)"
  curl --silent --show-error --fail --location --output "$new/go.zip" "$proxy/${name/@//@v/}.zip" || return 1
  printf '%s  %s\n' "$go_sha256" "$new/go.zip" | sha256sum --check --quiet || return 1
  rm -rf "$home"
  mkdir -p "$home"
  # The JDK's own unzip; file modes are not in the archive.
  (cd "$home" && jar xf "$new/go.zip" && chmod +x "$name"/bin/* "$name"/pkg/tool/*/*) || return 1
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
  wait "$2" || { say "$1 could not be built:"; tail -n 20 "$3" >&2; return 1; }
}

build() { # PROGRAM, described
  local log="$new/$1.log"
  say "$(elapsed) $1 $version"
  (cd "$root/$module" && exec "$go" build -v -mod=readonly -trimpath -ldflags "-s -w $flags" -o "$new/$1" "$package") \
    > "$log" 2>&1 &
  watch "$1" $! "$log"
  mkdir -p "$(dirname "$binary")"
  if [ -n "$files" ]; then
    copy_files "$1"
  fi
  mv "$new/$1" "$binary"
}

copy_files() { # PROGRAM, described
  local owner source
  owner=$(sed -n 's/^require \([^ ]*\) v.*/\1/p' "$root/$module/go.mod" | head -n 1)
  source=$(cd "$root/$module" && "$go" list -m -f '{{.Dir}}' "$owner")
  rm -rf "$binary.files"
  cp -r "$source/$files" "$binary.files"
  chmod -R u+w "$binary.files"
}

# Two builds at once: the second one waits for the first and finds its result.
lock() {
  command -v flock > /dev/null || return 0
  exec 9> "$cache/.lock"
  until flock --timeout 10 9; do
    say "$(elapsed) waiting for another build"
  done
}

missing() { # PROGRAM...
  local program
  for program; do
    describe "$program"
    [ -x "$binary" ] || printf '%s\n' "$program"
  done
}

if [ -n "$(missing "$@")" ]; then
  lock
fi
programs=$(missing "$@")
if [ -n "$programs" ]; then
  new="$cache/.building.$$"
  mkdir -p "$new"
  trap 'rm -rf "$new"' EXIT
  # Where a go.mod asks for a newer Go, the go command takes it from the module proxy, checksum verified.
  export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off GOTOOLCHAIN=auto
  find_go || { say "Go is not to be had: install Go $go_version or newer"; exit 69; }
  # One word each: names of programs.
  # shellcheck disable=SC2086
  say "building" $programs
  say "Kubernetes takes 10 to 60 minutes the first time, the others a minute or two; all is kept in $cache"
  for program in $programs; do
    describe "$program"
    build "$program"
  done
  say "built in $(elapsed)"
fi
for program; do
  describe "$program"
  ln -sf "$binary" "$folder/$program"
  if [ -n "$files" ]; then
    ln -sfn "$binary.files" "$folder/$program.files"
  fi
done
