# shellcheck shell=bash
# A control plane with simulated nodes, and the operators that are measured on it. Sourced by run.sh,
# after e2e/cluster/lib.sh, whose start, stop, wait_for and kubectl it uses.

user=system:serviceaccount:bench:operator # whoever is measured, in the audit log
gpus_per_node=110                         # ten nodes, so 1,100 jobs at a time

start_cluster() {
  say "a control plane with ten simulated nodes"
  "$cluster/up.sh" --state "$state" --name sl --index 3 --nodes 0 --audit "$audit_log" > /dev/null
  load_configuration
  simulated_nodes | kubectl apply -f - > /dev/null
  # Its leases belong to one process: a new one would wait for those of an old one to run out.
  start kwok "$tools/kwok" --kubeconfig "$state/kubeconfig" --config "$scale/manifests/kwok.yaml" --cidr "$pod_net.0.0/16"
  wait_for 60 "the nodes" kubectl wait --for=condition=Ready node --all --timeout=20s
  kubectl create namespace bench > /dev/null
  kubectl -n bench create serviceaccount operator > /dev/null
}

stop_cluster() {
  stop operator
  stop kwok
  "$cluster/down.sh" --state "$state"
  rm -f "$audit_log"
}

simulated_nodes() {
  local i resources="{cpu: 1k, memory: 4Ti, pods: \"2000\", nvidia.com/gpu: \"$gpus_per_node\"}"
  for i in $(seq 10); do
    cat << YAML
---
apiVersion: v1
kind: Node
metadata:
  name: simulated-$i
  annotations: {kwok.x-k8s.io/node: fake}
  labels: {kubernetes.io/hostname: simulated-$i}
status:
  allocatable: $resources
  capacity: $resources
YAML
  done
}

# The pods' addresses: one network namespace has them all, and one process answers at each.
start_trainers() {
  local namespace=$name-pods
  ip netns add "$namespace"
  ip link add "$namespace" type veth peer name eth0 netns "$namespace"
  ip addr add "$node_net.1/30" dev "$namespace"
  ip link set "$namespace" up
  ip -n "$namespace" addr add "$node_net.2/30" dev eth0
  ip -n "$namespace" link set lo up
  ip -n "$namespace" link set eth0 up
  ip route add "$pod_net.0.0/16" via "$node_net.2"
  trainers_answer
  echo still > "$state/trainers"
  start trainers ip netns exec "$namespace" "$tools/load" trainers --mode "$state/trainers"
}

trainers_answer() { ip -n "$name-pods" route add local "$pod_net.0.0/16" dev lo; }

# What a NetworkPolicy does: packets to the pods are dropped without a word.
trainers_fall_silent() { ip -n "$name-pods" route del local "$pod_net.0.0/16" dev lo; }

stop_trainers() {
  stop trainers
  ip netns del "$name-pods" 2> /dev/null || true
}

# A kubeconfig of the service account that the measured operator runs as.
operator_kubeconfig() { # FILE
  local server
  server=$(sed -n 's/^ *server: //p' "$state/kubeconfig")
  (umask 077 && cat > "$1") << YAML
apiVersion: v1
kind: Config
current-context: bench
clusters:
- name: bench
  cluster:
    server: $server
    certificate-authority-data: $(base64 -w 0 "$pki/ca.crt")
contexts:
- name: bench
  context: {cluster: bench, user: operator, namespace: bench}
users:
- name: operator
  user: {token: $(kubectl -n bench create token operator --duration 24h)}
YAML
}

# The packaged operator with the memory settings of its image and the rights that its build asks for.
start_finetune_operator() {
  kubectl apply --server-side -f "$root/crds/finetunejobs.finetune.dev-v1.yml" > /dev/null
  wait_for 30 "the CRD" kubectl wait --for=condition=Established crd/finetunejobs.finetune.dev --timeout=20s
  awk -v RS='---\n' '/\nkind: ClusterRole\n/' "$root/operator/target/kubernetes/kubernetes.yml" |
    kubectl apply -f - > /dev/null
  kubectl create clusterrolebinding finetune-operator --clusterrole finetunejob-cluster-role \
    --serviceaccount bench:operator > /dev/null
  kubectl apply -f "$scale/manifests/claims.yaml" > /dev/null
  wait_for 60 "the claims" kubectl wait --for=jsonpath='{.status.phase}'=Bound pvc/models pvc/data --timeout=1s
  operator_kubeconfig "$state/operator.kubeconfig"
  start operator env KUBECONFIG="$state/operator.kubeconfig" QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT="$port" \
    FINETUNE_LEASE_NAMESPACE=bench java -XX:MaxRAM=256m "@$root/operator/jvm.options" -jar "$root/operator/target/quarkus-app/quarkus-run.jar"
  wait_for 120 "the operator" curl -sf "http://127.0.0.1:$port/q/health/ready"
  wait_for 60 "the operator's lease" kubectl -n bench get lease finetune-operator
}
