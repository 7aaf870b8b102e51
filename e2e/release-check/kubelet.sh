# shellcheck shell=bash disable=SC2034,SC2154 # shared with the script and cluster/lib.sh
# A control plane with a node that is only an object, the operator from its jar, and what a kubelet and
# a trainer would do to a pod. Sourced.

node=release-check

cluster_up() {
  local jar="$root/operator/target/quarkus-app/quarkus-run.jar"
  [ -f "$jar" ] || die "$jar is missing: mvn -pl operator -am package -DskipTests"
  "$here/up.sh" --state "$state" --name "$name" --index "$index" --nodes 0 --fresh > /dev/null
  load_configuration
  kubectl apply --server-side -f "$root/crds/finetunejobs.finetune.dev-v1.yml" > /dev/null
  add_node
  start operator env FINETUNE_PROGRESS_INTERVAL=1s QUARKUS_HTTP_HOST="$loopback" QUARKUS_HTTP_PORT=8081 \
    FINETUNE_LEADER_ELECTION=false java -XX:+UseSerialGC -Xmx256m -jar "$jar"
  wait_for 120 operator curl -sf "http://$loopback:8081/q/health/ready"
  say "the operator runs"
}

cluster_down() {
  local file
  for file in "$pids"/*; do
    case ${file##*/} in
      etcd | kube-*) ;;
      *) stop "${file##*/}" ;;
    esac
  done
  rm -rf "$state.logs"
  cp -r "$logs" "$state.logs"
  say "logs are in $state.logs"
  "$here/down.sh" --state "$state"
}

add_node() {
  kubectl apply -f - > /dev/null << NODE
apiVersion: v1
kind: Node
metadata: {name: $node}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: $node, namespace: kube-node-lease}
spec: {holderIdentity: $node, leaseDurationSeconds: 40}
NODE
  kubectl patch node "$node" --subresource=status --type merge --patch "$(
    cat << STATUS
{"status": {
  "capacity": {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "8"},
  "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "8"},
  "conditions": [{"type": "Ready", "status": "True", "reason": "Fake", "message": "of the release check",
    "lastHeartbeatTime": "$(now)", "lastTransitionTime": "$(now)"}]}}
STATUS
  )" > /dev/null
  export node
  # A node whose lease is not renewed is taken for lost, and its pods are evicted.
  # shellcheck disable=SC2016 # expanded by the shell that runs it
  start heartbeat env PATH="$bin:$PATH" bash -c 'while sleep 5; do
    kubectl patch lease "$node" -n kube-node-lease --type merge \
      --patch "{\"spec\": {\"renewTime\": \"$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)\"}}"
  done'
}

# A namespace with the claims of its jobs, each bound to a volume of its own: without them no pod gets a node.
namespace_with_claims() { # NAMESPACE
  local claim
  kubectl create namespace "$1" > /dev/null
  for claim in models data results; do
    kubectl apply -f - > /dev/null << CLAIM
apiVersion: v1
kind: PersistentVolume
metadata: {name: $1-$claim}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteMany]
  storageClassName: ""
  claimRef: {namespace: $1, name: $claim}
  hostPath: {path: /nowhere}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $claim, namespace: $1}
spec:
  storageClassName: ""
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 1Gi}}
  volumeName: $1-$claim
CLAIM
  done
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# The pod of a job's attempt, once the scheduler has bound it.
pod_of() { # NAMESPACE JOB ATTEMPT
  local selector="finetune.dev/job=$2,finetune.dev/attempt=$3" found=""
  local deadline=$((SECONDS + 60))
  while [ -z "$found" ]; do
    [ $SECONDS -lt $deadline ] || die "attempt $3 of $1/$2 has got no pod on a node"
    found=$(kubectl get pods -n "$1" -l "$selector" --field-selector "spec.nodeName=$node" -o name)
  done
  printf '%s\n' "${found#pod/}"
}

patch_pod() { # NAMESPACE POD STATUS
  kubectl patch pod "$2" -n "$1" --subresource=status --type merge --patch "{\"status\": $3}" > /dev/null
}

# A trainer that says FILE, as JSON, at an address of its own.
serve_progress() { # NAME ADDRESS FILE
  mkdir -p "$state/trainers/$1"
  cp "$3" "$state/trainers/$1/progress"
  start "trainer-$1" python3 -m http.server 8080 --bind "$2" --directory "$state/trainers/$1"
}

pod_runs() { # NAMESPACE POD ADDRESS
  patch_pod "$1" "$2" "{\"phase\": \"Running\", \"podIP\": \"$3\", \"podIPs\": [{\"ip\": \"$3\"}], \"startTime\": \"$(now)\",
    \"containerStatuses\": [{\"name\": \"trainer\", \"image\": \"i\", \"imageID\": \"i\", \"ready\": true, \"restartCount\": 0,
      \"state\": {\"running\": {\"startedAt\": \"$(now)\"}}}]}"
}

pod_ends() { # NAMESPACE POD EXIT-CODE TERMINATION-MESSAGE
  local phase=Failed message
  [ "$3" != 0 ] || phase=Succeeded
  message=$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1]))' "$4")
  patch_pod "$1" "$2" "{\"phase\": \"$phase\",
    \"containerStatuses\": [{\"name\": \"trainer\", \"image\": \"i\", \"imageID\": \"i\", \"ready\": false, \"restartCount\": 0,
      \"state\": {\"terminated\": {\"exitCode\": $3, \"finishedAt\": \"$(now)\", \"message\": $message}}}]}"
}

# What a kubelet does about a pod that is being deleted: end the container, and then remove the pod.
pod_is_removed() { # NAMESPACE POD EXIT-CODE TERMINATION-MESSAGE
  pod_ends "$@"
  kubectl delete pod "$2" -n "$1" --grace-period 0 --force > /dev/null 2>&1 || true
}
