#!/usr/bin/env bash
# Checks jobs that the real Argo CD keeps in sync with a git repository.
#
#   argocd.sh [--state FOLDER] [--name NAME] [--index N]
#
#   --state, --name, --index   of the cluster, as ../cluster/up.sh has them
#                              (default: e2e/target/release-check, rc and 9)
#
# It starts a control plane, the operator from its jar (mvn -pl operator -am package -DskipTests), and
# Argo CD's application controller and repo server, built from their Go module (10 to 60 minutes the first
# time, then kept). The only node is an object: the script plays the kubelet and the trainer. Every check
# is printed as it passes or fails; the exit status is 1 where one failed. Needs git, curl, openssl and
# python3, and no root.
set -euo pipefail
# shellcheck source=../cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cluster/lib.sh"
root=$(cd "$here/../.." && pwd)
# shellcheck source=checks.sh
. "$root/e2e/release-check/checks.sh"
# shellcheck source=kubelet.sh
. "$root/e2e/release-check/kubelet.sh"

argocd=$root/e2e/target/argo-cd name=rc index=9
use_state "$root/e2e/target/release-check"
while [ $# -gt 0 ]; do
  case $1 in
    --state) use_state "$2" ;;
    --name) name=$2 ;;
    --index) index=$2 ;;
    *) usage ;;
  esac
  shift 2
done

# --- the parts of Argo CD ---

configure_argocd() {
  kubectl apply --server-side -f "$argocd/argo-cd.files/crds/application-crd.yaml" \
    -f "$argocd/argo-cd.files/crds/appproject-crd.yaml" > /dev/null
  kubectl create namespace argocd > /dev/null
  kubectl apply -n argocd -f "$argocd/argo-cd.files/base/config/argocd-cm.yaml" > /dev/null
  kubectl create secret generic argocd-secret -n argocd > /dev/null
  kubectl label secret argocd-secret -n argocd app.kubernetes.io/part-of=argocd > /dev/null
  kubectl apply -f - > /dev/null << PROJECT
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ["*"]
  destinations: [{namespace: "*", server: "*"}]
  clusterResourceWhitelist: [{group: "*", kind: "*"}]
PROJECT
  # As docs/gitops.md says.
  local own
  own=$(kubectl get configmap argocd-cm -n argocd -o go-template='{{len .data}}')
  kubectl patch configmap argocd-cm -n argocd --type merge --patch-file "$root/argocd/argocd-cm.yaml" > /dev/null
  expect "argocd-cm takes the FineTuneJob customizations beside Argo CD's own" $((own + 3)) \
    kubectl get configmap argocd-cm -n argocd -o go-template='{{len .data}}'
}

start_argocd() {
  local part
  for part in application-controller repo-server redis; do ln -sf argo-cd "$argocd/argocd-$part"; done
  # A script of Argo CD's image, which the repo server calls for every commit. None is signed here.
  mkdir -p "$state/argocd/bin"
  printf '#!/bin/sh\n' > "$state/argocd/bin/git-verify-wrapper.sh"
  chmod +x "$state/argocd/bin/git-verify-wrapper.sh"
  start argocd-redis "$argocd/argocd-redis" "$loopback:6379"
  start argocd-repo-server env PATH="$state/argocd/bin:$PATH" TMPDIR="$state/argocd" ARGOCD_GPG_ENABLED=false \
    ARGOCD_ASK_PASS_SOCK="$state/argocd/ask-pass.sock" HOME="$state/argocd" \
    "$argocd/argocd-repo-server" --address "$loopback" --port 8082 --metrics-address "$loopback" --disable-tls \
    --client-ca-path "" --redis "$loopback:6379" --logformat text
  wait_for 60 argocd-repo-server curl -sf "http://$loopback:8084/healthz"
  # FAKE_IN_CLUSTER: it runs outside, and https://kubernetes.default.svc is the cluster of its kubeconfig.
  start argocd-application-controller env ARGOCD_FAKE_IN_CLUSTER=true HOME="$state/argocd" \
    "$argocd/argocd-application-controller" --kubeconfig "$KUBECONFIG" --namespace argocd \
    --repo-server "$loopback:8082" --repo-server-plaintext --redis "$loopback:6379" --metrics-port 8083 \
    --persist-resource-health --app-resync 10 --app-resync-jitter 0 --logformat text
  say "Argo CD runs"
  application training jobs | kubectl apply -f - > /dev/null
  start watch kubectl get applications -n argocd --watch --output-watch-events \
    -o "jsonpath={.object.metadata.name} {.object.status.sync.status}{'\n'}"
}

# The example, with another name, namespace and folder.
application() { # NAME FOLDER
  sed -e "s#https://github.com/example/training.git#file://$repository#" -e "s/name: training/name: $1/" \
    -e "s/namespace: training/namespace: $1/" -e "s/path: jobs/path: $2/" "$root/examples/argocd/application.yaml"
}

# --- the git repository ---

job_file() { # NAME, lines of the spec from stdin
  printf '%s\n' "apiVersion: finetune.dev/v1alpha1" "kind: FineTuneJob" "metadata: {name: $1}" "spec:" \
    "  recipe:" "    model: {source: pvc://models/base}" "    dataset: {train: [{source: pvc://data/rows.json}]}" \
    "    method: {lora: {rank: 16}}" "    output: {destination: pvc://results/$1}"
  sed 's/^/  /'
}

make_repository() {
  repository=$state/repository
  mkdir -p "$repository/jobs"
  git init -q -b main "$repository"
  git -C "$repository" config user.name release-check
  git -C "$repository" config user.email release-check@finetune.dev
  job_file tune > "$repository/jobs/tune.yaml" << 'SPEC'
resources: {gpusPerNode: 2}
retry: {maxRestarts: 2}
suspend: false
ttlSecondsAfterFinished: 5
SPEC
  job_file broken < /dev/null > "$repository/jobs/broken.yaml"
  job_file rejected > "$repository/jobs/rejected.yaml" <<< 'resources: {memory: lots}'
  commit "three jobs"
}

commit() { # MESSAGE
  git -C "$repository" add -A
  git -C "$repository" commit -q -m "$1"
}

# --- what is asked ---

# Argo CD looks at the application, and at the repository too; done when it has taken the annotation away.
refresh() { # APPLICATION
  kubectl annotate application "$1" -n argocd argocd.argoproj.io/refresh=hard --overwrite > /dev/null
  local deadline=$((SECONDS + 30))
  while [ $SECONDS -lt $deadline ] \
    && [ -n "$(kubectl get application "$1" -n argocd -o jsonpath='{.metadata.annotations.argocd\.argoproj\.io/refresh}')" ]; do
    sleep 0.2
  done
}

field() { kubectl get "$1" "$2" -n "$3" -o "jsonpath=$4"; } # KIND NAME NAMESPACE JSONPATH

sync_status() { # APPLICATION
  refresh "$1"
  field application "$1" argocd '{.status.sync.status}'
}

health() { # APPLICATION JOB
  refresh "$1"
  local path="{.status.resources[?(@.name==\"$2\")].health"
  field application "$1" argocd "$path.status}: $path.message}"
}

jobs_of() { # NAMESPACE FINETUNEJOB
  kubectl get jobs -n "$1" -l "finetune.dev/job=$2" -o jsonpath='{.items[*].metadata.name}'
}

suspended() { field finetunejob "$2" "$1" '{.spec.suspend}'; } # NAMESPACE FINETUNEJOB

# What the action does, whose script a test runs: the API server of Argo CD is not here.
action() { # NAMESPACE FINETUNEJOB suspend|resume
  local value=true
  [ "$3" = suspend ] || value=false
  kubectl patch finetunejob "$2" -n "$1" --type merge --patch "{\"spec\": {\"suspend\": $value}}" > /dev/null
}

# Nothing was OutOfSync since a line of the watch.
always_in_sync() { # APPLICATION LINE
  tail -n "+$(($2 + 1))" "$logs/watch.log" | grep -c "^$1 OutOfSync" || true
}

watched() { wc -l < "$logs/watch.log"; }

training() { # EPOCH STEP LOSS
  cat > "$state/progress.json" << PROGRESS
{"training": {"epoch": $1, "totalEpochs": 5, "epochText": "$1/5", "step": $2, "totalSteps": 2500, "loss": $3},
 "checkpoints": {"latest": {"step": $2, "epoch": $1, "location": "pvc://results/tune/checkpoint-$2", "sizeBytes": 1, "sha256": "ab"}}}
PROGRESS
}

# --- the checks ---

jobs_of_every_phase() {
  eventually 60 "the application is synced" Synced sync_status training
  calm=$(watched)
  eventually 30 "health of a rejected spec" "Degraded: spec.resources.memory*'lots'*" health training rejected
  eventually 30 "health before the trainer runs" "Progressing: *" health training tune
  first=$(pod_of training tune 1)
  training 2.4 1200 1.2345678
  serve_progress tune "127.$((200 + index)).1.1" "$state/progress.json"
  pod_runs training "$first" "127.$((200 + index)).1.1"
  eventually 30 "health of a running job" "Progressing: epoch 2.4/5, step 1200/2500, loss 1.2346" health training tune
  pod_ends training "$(pod_of training broken 1)" 65 '{"exit": "DATA", "message": "rows.json: row 7: output is empty"}'
  eventually 60 "health of a failed job" "Degraded: *row 7: output is empty*" health training broken
  expect "no OutOfSync by what the operator wrote" 0 always_in_sync training "$calm"
}

suspend_and_resume() {
  calm=$(watched)
  action training tune suspend
  eventually 30 "the action suspend ends the attempt" "" jobs_of training tune
  pod_is_removed training "$first" 75 '{"exit": "TRY_AGAIN", "message": "saved"}'
  eventually 30 "health of a suspended job" "Suspended: *" health training tune
  expect "git says suspend: false, and the application is" Synced sync_status training
  sleep 15 # three resyncs, and longer than self-heal's first back-off
  expect "self-heal leaves spec.suspend" true suspended training tune
  action training tune resume
  eventually 30 "the action resume starts the next attempt" tune-2 jobs_of training tune
  expect "no OutOfSync by the actions" 0 always_in_sync training "$calm"
}

end_and_ttl() {
  calm=$(watched)
  local pod
  pod=$(pod_of training tune 2)
  pod_runs training "$pod" "127.$((200 + index)).1.1"
  pod_ends training "$pod" 0 '{"exit": "DONE", "message": "done", "progress": {"result": {"adapter": "pvc://results/tune/adapter"}}}'
  eventually 60 "health of a job that succeeded" "Healthy: The adapter is written" health training tune
  eventually 60 "its children go after ttlSecondsAfterFinished" "" jobs_of training tune
  refresh training
  sleep 15
  expect "self-heal doesn't run it again" "" jobs_of training tune
  expect "the application is still" Synced sync_status training
  expect "its health is still" "Healthy: *" health training tune
  expect "no OutOfSync by the end and the ttl" 0 always_in_sync training "$calm"
}

heal_and_sync() {
  kubectl patch finetunejob tune -n training --type merge --patch '{"spec": {"retry": {"maxRestarts": 9}}}' > /dev/null
  eventually 60 "self-heal does undo another edit" 2 field finetunejob tune training '{.spec.retry.maxRestarts}'
  eventually 30 "a finished job stays so after both" "Healthy: *" health training tune
  expect "and is not run again" "" jobs_of training tune

  job_file later <<< 'suspend: false' > "$repository/jobs/later.yaml"
  commit "another job"
  eventually 60 "a new file is a new job" later-1 refresh_and jobs_of training later
  action training later suspend
  eventually 30 "it is suspended by the action" "" jobs_of training later
  printf '  retry: {maxRestarts: 5}\n' >> "$repository/jobs/later.yaml"
  git -C "$repository" rm -q jobs/broken.yaml
  commit "an edit and a removal"
  eventually 60 "a sync takes the edit" 5 refresh_and field finetunejob later training '{.spec.retry.maxRestarts}'
  expect "and leaves spec.suspend, as RespectIgnoreDifferences asks" true suspended training later
  eventually 60 "a file's removal deletes its job" "*NotFound*" refresh_and kubectl get finetunejob broken -n training
  eventually 60 "and with it its children" "" jobs_of training broken
}

refresh_and() {
  refresh training
  "$@"
}

server_side() {
  mkdir -p "$repository/server-side"
  job_file tune <<< 'suspend: false' > "$repository/server-side/tune.yaml"
  commit "jobs for a server-side apply"
  application server-side server-side | sed 's/^      - CreateNamespace=true/&\n      - ServerSideApply=true/' \
    | kubectl apply -f - > /dev/null
  eventually 60 "an application with ServerSideApply=true is" Synced sync_status server-side
  calm=$(watched)
  local pod
  pod=$(pod_of server-side tune 1)
  training 1.5 750 1.5
  serve_progress server-side "127.$((200 + index)).1.2" "$state/progress.json"
  pod_runs server-side "$pod" "127.$((200 + index)).1.2"
  eventually 30 "its job runs" "Progressing: epoch 1.5/5, step 750/2500, loss 1.5" health server-side tune
  action server-side tune suspend
  eventually 30 "its job is suspended" "" jobs_of server-side tune
  pod_is_removed server-side "$pod" 75 '{"exit": "TRY_AGAIN", "message": "saved"}'
  eventually 30 "its health" "Suspended: *" health server-side tune
  sleep 15
  expect "self-heal leaves its spec.suspend" true suspended server-side tune
  expect "field managers beside Argo CD's that own something of the spec" "" other_owners server-side tune
  expect "no OutOfSync with ServerSideApply=true" 0 always_in_sync server-side "$calm"
}

# With tracking by label, which was the default before Argo CD 3, the operator's children carry the very label
# that marks what an application owns: app.kubernetes.io/instance is their job's name.
label_tracking() {
  kubectl patch configmap argocd-cm -n argocd --type merge \
    --patch '{"data": {"application.resourceTrackingMethod": "label"}}' > /dev/null
  mkdir -p "$repository/labels"
  job_file labels < /dev/null > "$repository/labels/job.yaml"
  commit "a job with the name of its application"
  application labels labels | kubectl apply -f - > /dev/null
  eventually 60 "an application with the name of its job is" Synced sync_status labels
  eventually 30 "its job has a Job" labels-1 jobs_of labels labels
  sync_status labels > /dev/null
  expect "the application has nothing but the FineTuneJob" FineTuneJob \
    field application labels argocd '{.status.resources[*].kind}'
  sleep 15
  expect "the Job is not pruned" labels-1 jobs_of labels labels
}

# But for kubectl, which did what the action does.
other_owners() { # NAMESPACE FINETUNEJOB
  kubectl get finetunejob "$2" -n "$1" --show-managed-fields -o json | python3 -c '
import json, sys
for entry in json.load(sys.stdin)["metadata"]["managedFields"]:
    if entry["manager"] not in ("argocd-controller", "kubectl-patch") and "f:spec" in entry["fieldsV1"]:
        print(entry["manager"])'
}

"$root/hack/build.sh" --into "$argocd" argo-cd
cluster_up
trap cluster_down EXIT
make_repository
configure_argocd
for each in training server-side labels; do namespace_with_claims "$each"; done
start_argocd
jobs_of_every_phase
suspend_and_resume
end_and_ttl
heal_and_sync
server_side
label_tracking
summary
