# shellcheck shell=bash disable=SC2034,SC2154 # the variables of lib.sh are everybody's
# etcd, the API server, controller manager, scheduler and CoreDNS, as processes of the host. Sourced.

start_etcd() {
  # --unsafe-no-fsync: a test cluster's data needs no more than to outlive its processes.
  start etcd "$bin/etcd" --name "$name" --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://$loopback:2379" --advertise-client-urls "http://$loopback:2379" \
    --listen-peer-urls "http://$loopback:2380" --initial-advertise-peer-urls "http://$loopback:2380" \
    --initial-cluster "$name=http://$loopback:2380"
}

start_apiserver() {
  local options=()
  [ "$nodes" != 0 ] || options+=(--endpoint-reconciler-type none) # a loopback address is no endpoint
  [ -z "$audit" ] || options+=(--audit-policy-file "$here/config/audit.yaml" --audit-log-path "$audit")
  # Pods are evicted from a lost node after 20 s and not 5 minutes: no test waits that long.
  # Aggregator routing: webhooks are called at their pods' addresses, as there is no kube-proxy here.
  start kube-apiserver "$bin/kube-apiserver" --etcd-servers "http://$loopback:2379" \
    --bind-address "$host_ip" --secure-port 6443 \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --service-cluster-ip-range "$service_net.0.0/16" \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$pki/service-accounts.key" \
    --service-account-signing-key-file "$pki/service-accounts.key" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged=true \
    --default-not-ready-toleration-seconds 20 --default-unreachable-toleration-seconds 20 \
    --kubelet-client-certificate "$pki/apiserver-kubelet-client.crt" \
    --kubelet-client-key "$pki/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority "$pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --proxy-client-cert-file "$pki/front-proxy-client.crt" --proxy-client-key-file "$pki/front-proxy-client.key" \
    --requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- --enable-aggregator-routing=true \
    --profiling=false "${options[@]}"
}

wait_for_apiserver() { wait_for 300 kube-apiserver kubectl get --raw /readyz; }

# The client limits of both: the defaults (20 and 50 requests a second) would pace a thousand jobs over
# minutes, and a measurement of the operator would be one of these limits.
start_controllers() {
  local client=(--kube-api-qps 500 --kube-api-burst 1000)
  start kube-controller-manager "$bin/kube-controller-manager" "${client[@]}" \
    --kubeconfig "$kubeconfigs/controller-manager" --authentication-kubeconfig "$kubeconfigs/controller-manager" \
    --authorization-kubeconfig "$kubeconfigs/controller-manager" --bind-address "$loopback" \
    --service-account-private-key-file "$pki/service-accounts.key" --root-ca-file "$pki/ca.crt" \
    --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
    --use-service-account-credentials=true --allocate-node-cidrs=false --leader-elect=false --profiling=false \
    --node-monitor-grace-period 20s --concurrent-job-syncs 20
  start kube-scheduler "$bin/kube-scheduler" "${client[@]}" \
    --kubeconfig "$kubeconfigs/scheduler" --authentication-kubeconfig "$kubeconfigs/scheduler" \
    --authorization-kubeconfig "$kubeconfigs/scheduler" --bind-address "$loopback" \
    --leader-elect=false --profiling=false
}

wait_for_controllers() {
  wait_for 300 kube-controller-manager kubectl -n default get serviceaccount default
  wait_for 300 kube-scheduler curl -skf "https://$loopback:10259/healthz"
}

# On the host, at the bridge's address, which is in every node's kubelet.yaml as the cluster's DNS server.
start_dns() {
  cat > "$state/Corefile" << COREFILE
.:53 {
  bind $host_ip
  errors
  ready $loopback:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $kubeconfigs/coredns
  }
}
COREFILE
  kubectl apply -f "$here/config/coredns-rbac.yaml" > /dev/null
  start coredns "$bin/coredns" -conf "$state/Corefile"
  wait_for 300 coredns curl -sf "http://$loopback:8181/ready"
}
