# shellcheck shell=bash disable=SC2034,SC2154 # the variables of lib.sh are everybody's
# Nodes: each a set of namespaces with a containerd and a kubelet of its own, joined to the host by a
# bridge. Sourced.

# What a node needs of the machine, all at once, in words that say what to do.
check_machine() {
  local missing=() program
  [ "$(id -u)" = 0 ] || missing+=("root")
  [ -d /sys/fs/cgroup/memory ] || missing+=("cgroup v1: this machine has v2, or its cgroups are not mounted")
  for program in containerd ctr runc ip iptables unshare openssl curl; do
    command -v "$program" > /dev/null || missing+=("$program")
  done
  [ -x /usr/lib/cni/bridge ] || missing+=("the CNI plugins in /usr/lib/cni")
  [ ${#missing[@]} = 0 ] && return
  say "nodes cannot run here; missing:"
  printf '  %s\n' "${missing[@]}" >&2
  say "Debian's packages: containerd runc containernetworking-plugins iptables iproute2 openssl curl"
  die "or use a cluster that is there: mvn verify -Pe2e -De2e.kubeconfig=FILE (CONTRIBUTING.md says how)"
}

node_name() { printf '%s-node-%s\n' "$name" "$1"; }
node_ip() { printf '%s.%s\n' "$node_net" $((10 + $1)); }
node_folder() { printf '%s/nodes/%s\n' "$state" "$1"; }

make_bridge() {
  ip link show "$bridge" > /dev/null 2>&1 && return
  ip link add "$bridge" type bridge
  ip addr add "$host_ip/24" dev "$bridge"
  ip link set "$bridge" up
}

# The network namespace of a node, with routes to the pods of the others; the host has routes to all.
join_network() { # INDEX-OF-NODE
  local namespace ip veth=$name-n$1
  namespace=$(node_name "$1")
  ip=$(node_ip "$1")
  ip netns add "$namespace"
  ip link add "$veth" type veth peer name eth0 netns "$namespace"
  ip link set "$veth" master "$bridge" up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" addr add "$ip/24" dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route add default via "$host_ip"
  route_to_pods "$1"
  ip route replace "$pod_net.$1.0/24" via "$ip"
}

# The way from a node to the pods of the others.
route_to_pods() { # INDEX-OF-NODE
  local other
  for other in $(seq "$nodes"); do
    [ "$other" = "$1" ] ||
      ip -n "$(node_name "$1")" route replace "$pod_net.$other.0/24" via "$(node_ip "$other")"
  done
}

# Packets of a node's pods to those of the others vanish, as behind a switch that is gone. The node itself
# is still reached by the API server.
cut_pods_off() { # INDEX-OF-NODE
  local other
  for other in $(seq "$nodes"); do
    [ "$other" = "$1" ] || ip -n "$(node_name "$1")" route replace blackhole "$pod_net.$other.0/24"
  done
}

# The kernel takes a while to remove what is in a namespace: the name of the link is free at once.
leave_network() { # INDEX-OF-NODE
  ip link del "$name-n$1" 2> /dev/null || true
  ip netns del "$(node_name "$1")" 2> /dev/null || true
}

# The files that a node finds in /run/node.
write_node_files() { # INDEX-OF-NODE FOLDER
  local node
  node=$(node_name "$1")
  make_node_pki "$node" "$(node_ip "$1")"
  mkdir -p "$2"/{kubelet,containerd,cni,pods,containers,node/cni}
  cp "$here"/config/{kubelet.yaml,containerd.toml} "$pki/ca.crt" "$2/node"
  cp "$pki/$node-serving.crt" "$2/node/serving.crt"
  cp "$pki/$node-serving.key" "$2/node/serving.key"
  cp "$kubeconfigs/$node" "$2/node/kubeconfig"
  cp "$kubeconfigs/kube-proxy" "$2/node/kube-proxy.kubeconfig"
  printf 'nameserver %s\n' "$host_ip" > "$2/node/resolv.conf" # never the machine's
  cat > "$2/node/cni/10-pods.conflist" << JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pod_net.$1.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

# A cgroup below our own in each hierarchy: the node sees them as its roots, so all its pods are inside
# what this process may use, and nothing is put at the machine's roots.
enter_cgroups() { # NODE FOLDER
  local hierarchy path group
  while IFS=: read -r _ hierarchy path; do
    [ -n "$hierarchy" ] || continue # cgroup v2
    group=/sys/fs/cgroup/${hierarchy#name=}${path%/}/$1
    mkdir -p "$group"
    if [ -f "$group/cpuset.cpus" ]; then # an empty set takes no process
      cat "$group/../cpuset.cpus" > "$group/cpuset.cpus"
      cat "$group/../cpuset.mems" > "$group/cpuset.mems"
    fi
    printf '%s\n' "$group"
  done < /proc/self/cgroup > "$2/cgroups"
  while read -r group; do echo "$BASHPID" > "$group/cgroup.procs"; done < "$2/cgroups"
}

remove_cgroups() { # FOLDER
  local group tries
  [ -f "$1/cgroups" ] || return 0
  while read -r group; do
    # A killed process leaves its cgroup a moment later.
    for tries in $(seq 50); do
      [ -d "$group" ] || break
      find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.1
    done
    [ ! -d "$group" ] || say "left behind after $tries tries: $group"
  done < "$1/cgroups"
  rm "$1/cgroups"
}

start_node() { # INDEX-OF-NODE
  local node folder
  node=$(node_name "$1")
  folder=$(node_folder "$1")
  ! running "$node" || return 0
  write_node_files "$1" "$folder"
  mkdir -p /var/lib/{kubelet,containerd,cni} /var/log/{pods,containers} # mounted over in the node
  join_network "$1"
  (
    enter_cgroups "$node" "$folder"
    exec setsid nsenter --net="/run/netns/$node" unshare --mount --uts --ipc --cgroup --pid --fork --kill-child --mount-proc \
      env -i PATH="$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
      NODE="$node" NODE_IP="$(node_ip "$1")" FOLDER="$folder" POD_NET="$pod_net.0.0/16" DNS="$host_ip" GPUS="$gpus" \
      LOGS="$logs" bash "$here/node-init.sh"
  ) >> "$logs/$node.log" 2>&1 < /dev/null &
  record "$node" $!
}

wait_for_node() { # INDEX-OF-NODE
  local node
  node=$(node_name "$1")
  # A node that was away for a moment is still called Ready: its kubelet is asked too.
  wait_for 300 "the kubelet of $node" ip netns exec "$node" curl -sf http://127.0.0.1:10248/healthz
  wait_for 300 "node $node" kubectl wait "node/$node" --for condition=Ready --timeout 5s
  [ "$gpus" = 0 ] || wait_for 300 "the GPUs of node $node" \
    kubectl wait "node/$node" --for "jsonpath={.status.allocatable.nvidia\.com/gpu}=$gpus" --timeout 5s
}

# A power cut: every process of the node, containers too, ends with the one that is recorded.
kill_node() { # INDEX-OF-NODE
  stop "$(node_name "$1")" KILL
  remove_cgroups "$(node_folder "$1")"
  leave_network "$1"
}

in_node() { nsenter --target "$(pid_of "$(node_name "$1")")" --mount "${@:2}"; } # INDEX-OF-NODE COMMAND...

load_images() { # FILE...: on every node, side by side
  local node import imports=()
  for node in $(seq "$nodes"); do
    import_images "$node" "$@" &
    imports+=($!)
  done
  for import in "${imports[@]}"; do wait "$import"; done
}

import_images() { # INDEX-OF-NODE FILE...
  local node=$1 file
  wait_for 300 "containerd of $(node_name "$node")" in_node "$node" ctr version
  for file in "${@:2}"; do
    in_node "$node" ctr --namespace k8s.io images import "$file" > /dev/null
  done
}
