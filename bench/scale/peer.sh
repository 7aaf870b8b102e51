# shellcheck shell=bash
# Kubeflow's training-operator on the host, for PyTorchJobs only. Sourced by run.sh.

# v1.8.1 as it comes: 20 requests a second, one worker. v1.9.3 is the first that heeds raised limits.
start_training_operator() { # default|raised
  local program=training-operator-1.8.1 options=() version source
  [ "$1" = default ] || {
    program=training-operator-1.9.3
    options=(--kube-api-qps 500 --kube-api-burst 1000 --controller-threads 10)
  }
  version=v${program##*-}
  source=$(go mod download -json "github.com/kubeflow/training-operator@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  kubectl apply --server-side -f "$source/manifests/base/crds/kubeflow.org_pytorchjobs.yaml" > /dev/null
  wait_for 30 "the CRD" kubectl wait --for=condition=Established crd/pytorchjobs.kubeflow.org --timeout=20s
  kubectl create namespace kubeflow > /dev/null
  kubectl apply -f "$source/manifests/base/rbac/role.yaml" > /dev/null
  kubectl create clusterrolebinding training-operator --clusterrole training-operator \
    --serviceaccount bench:operator > /dev/null
  operator_kubeconfig "$state/operator.kubeconfig"
  start_behind_certificates "$tools/$program" "${options[@]}"
}

# It starts no controller before it has put a CA into a ValidatingWebhookConfiguration and finds its
# certificate in a fixed folder below /tmp. So it gets a configuration without webhooks, and in place of that
# folder one of its own, which the certificate is copied to from the Secret that it writes. No webhook is called, which spares
# it one call for each PyTorchJob.
start_behind_certificates() { # PROGRAM OPTION...
  local folder=$state/k8s-webhook-server
  local certificates=$folder/serving-certs
  mkdir -p "$certificates" /tmp/k8s-webhook-server
  kubectl -n kubeflow create secret generic training-operator-webhook-cert > /dev/null
  kubectl apply -f - > /dev/null << 'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: validator.training-operator.kubeflow.org}
webhooks: []
YAML
  # shellcheck disable=SC2016 # expands in the inner shell
  start operator env KUBECONFIG="$state/operator.kubeconfig" \
    unshare --mount sh -c 'mount --bind "$0" /tmp/k8s-webhook-server && exec "$@"' "$folder" "$@" \
    --enable-scheme pytorchjob --metrics-bind-address 127.0.0.1:38082 --health-probe-bind-address "127.0.0.1:$port" \
    --webhook-server-port 38083
  wait_for 60 "the training-operator's certificate" secret_has tls.key
  secret_value tls.crt > "$certificates/tls.crt"
  secret_value tls.key > "$certificates/tls.key"
  wait_for 60 "the training-operator" curl -sf "http://127.0.0.1:$port/readyz"
}

secret_value() { # KEY
  kubectl -n kubeflow get secret training-operator-webhook-cert -o jsonpath="{.data.${1/./\\.}}" | base64 -d
}

secret_has() { [ -n "$(secret_value "$1")" ]; }
