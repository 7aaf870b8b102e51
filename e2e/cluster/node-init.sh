#!/usr/bin/env bash
# Process 1 of a node's namespaces; started by nodes.sh with NODE, NODE_IP, FOLDER, POD_NET, DNS, GPUS
# and LOGS in its environment, not by hand.
set -euo pipefail

hostname "$NODE"
mount --make-rprivate /

# /sys of this network namespace, and the node's own cgroups as the roots of the hierarchies. The
# machine's go first: runc takes the first mount of a hierarchy that it finds. None may be left out, not
# even systemd's: containerd's shim would give up on all, and no OOM kill would be told from an error.
umount --lazy --recursive /sys/fs/cgroup
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
while IFS=: read -r _ hierarchy _; do
  [ -n "$hierarchy" ] || continue # cgroup v2
  mountpoint=/sys/fs/cgroup/${hierarchy#name=}
  mkdir "$mountpoint"
  mount -t cgroup -o "${hierarchy/#name=/none,name=}" cgroup "$mountpoint"
  for controller in ${hierarchy//,/ }; do
    [ "$controller" = "$hierarchy" ] || ln -s "$hierarchy" "/sys/fs/cgroup/$controller"
  done
done < /proc/self/cgroup

mount --bind "$FOLDER/kubelet" /var/lib/kubelet
mount --bind "$FOLDER/containerd" /var/lib/containerd
mount --bind "$FOLDER/cni" /var/lib/cni
mount --bind "$FOLDER/pods" /var/log/pods
mount --bind "$FOLDER/containers" /var/log/containers
# Not only hidden: a mount kept here would keep the network namespaces of other nodes after their end.
umount --lazy --recursive /run/netns
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/node /run/sysctl
mount --bind "$FOLDER/node" /run/node

# The kernel settings that the kubelet insists on are the whole machine's. It gets files that hold the
# wanted values, and the machine keeps its own.
pretend() { # SETTING VALUE
  local file=/run/sysctl/${1//\//.}
  echo "$2" > "$file"
  mount --bind "$file" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000
echo 1 > /proc/sys/net/ipv4/ip_forward # of this network namespace only
# What a power cut leaves of addresses in use is of pods that are gone.
rm -rf /var/lib/cni/networks
mount --make-rshared /

# Keeps a program running, as an init system would.
keep() { # PROGRAM ARGUMENT...
  while :; do
    "$@" >> "$LOGS/$NODE-$1.log" 2>&1 || true
    sleep 1
  done
}

keep containerd --config /run/node/containerd.toml &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.1; done
keep kubelet --config /run/node/kubelet.yaml --kubeconfig /run/node/kubeconfig \
  --hostname-override "$NODE" --node-ip "$NODE_IP" --cluster-dns "$DNS" &
# The conntrack settings are the machine's too: 0 leaves them alone.
keep kube-proxy --kubeconfig /run/node/kube-proxy.kubeconfig --hostname-override "$NODE" --cluster-cidr "$POD_NET" \
  --proxy-mode iptables --conntrack-max-per-core 0 --conntrack-min 0 \
  --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0 &
if [ "$GPUS" != 0 ]; then
  keep device-plugin -count "$GPUS" &
fi
# Stay as process 1 of the namespace, which ends with it; bash reaps orphans.
while :; do wait -n || true; done
