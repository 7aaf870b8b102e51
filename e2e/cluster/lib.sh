# shellcheck shell=bash disable=SC2034,SC2154 # the variables of lib.sh are everybody's
# What every script of this folder needs: names and addresses of a cluster, and its processes, which
# are known by recorded process ids only. Sourced.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '[%s] %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 64; }

# Sets `state` from the argument of --state, or the default, as an absolute path.
use_state() { # FOLDER
  state=${1:-$here/../target/cluster}
  case $state in /*) ;; *) state=$PWD/$state ;; esac
  state=$(realpath -m "$state")
}

# For scripts whose only option is --state, in front: sets `state`, and `taken`, by which the caller shifts.
take_state() { # ARGUMENT...
  taken=0
  use_state ""
  if [ "${1:-}" = --state ]; then
    use_state "$2"
    taken=2
  fi
}

# Where things are; after the cluster's configuration is known.
layout() {
  bin=$state/bin pki=$state/pki logs=$state/logs pids=$state/pids kubeconfigs=$state/kubeconfigs
  bridge=$name-br
  # The control plane listens on addresses of this cluster alone, so its ports never clash with another's.
  loopback=127.$((200 + index)).0.1
  node_net=10.$((200 + index)).0
  pod_net=10.$((244 + index))
  service_net=10.$((96 + index))
  host_ip=$node_net.1
  [ "$nodes" != 0 ] || host_ip=$loopback
  export KUBECONFIG=$state/kubeconfig
}

# The configuration that up.sh chose; the other scripts need no more than --state.
load_configuration() {
  [ -f "$state/configuration" ] || die "there is no cluster in $state: start one with $here/up.sh --state $state"
  # shellcheck source=/dev/null
  . "$state/configuration"
  layout
}

save_configuration() {
  printf '%s=%q\n' name "$name" index "$index" nodes "$nodes" gpus "$gpus" shared "$shared" audit "$audit" \
    > "$state/configuration"
}

# A pid file holds PID and START TIME: a pid that went to another process is not ours. Nothing is
# printed for a process that has ended and that its parent has not yet asked about.
start_time() { sed 's/^.*) //' "/proc/$1/stat" 2> /dev/null | awk '$1 != "Z" { print $20 }'; }

running() { # NAME
  local pid start
  [ -f "$pids/$1" ] || return 1
  read -r pid start < "$pids/$1"
  [ "$(start_time "$pid")" = "$start" ]
}

record() { printf '%s %s\n' "$2" "$(start_time "$2")" > "$pids/$1"; } # NAME PID
pid_of() { cut -d ' ' -f 1 "$pids/$1"; }

start() { # NAME COMMAND...
  local process=$1
  shift
  ! running "$process" || return 0
  setsid "$@" >> "$logs/$process.log" 2>&1 < /dev/null &
  record "$process" $!
}

stop() { # NAME [SIGNAL]
  if running "$1"; then
    kill "-${2:-TERM}" "$(pid_of "$1")"
    local tries=100
    while running "$1"; do
      tries=$((tries - 1))
      [ $tries != 0 ] || kill -KILL "$(pid_of "$1")"
      sleep 0.1
    done
    say "$1 stopped"
  fi
  rm -f "$pids/$1"
}

wait_for() { # SECONDS WHAT COMMAND...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || die "$what did not come up; see $logs"
    sleep 0.2
  done
}

kubectl() { "$bin/kubectl" "$@"; }
