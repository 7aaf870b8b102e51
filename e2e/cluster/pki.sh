# shellcheck shell=bash disable=SC2034,SC2154 # the variables of lib.sh are everybody's
# Keys, certificates and kubeconfigs; each is made once. Sourced.

make_ca() { # NAME
  [ -f "$pki/$1.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=$1" -keyout "$pki/$1.key" -out "$pki/$1.crt" 2> /dev/null
}

make_certificate() { # CA NAME SUBJECT clientAuth|serverAuth [SUBJECT-ALTERNATIVE-NAMES]
  [ ! -f "$pki/$2.crt" ] || return 0
  # RSA, the one kind that Fabric8's Kubernetes client reads without BouncyCastle.
  openssl req -new -newkey rsa:2048 -nodes -subj "$3" \
    -keyout "$pki/$2.key" -out "$pki/$2.csr" 2> /dev/null
  openssl x509 -req -in "$pki/$2.csr" -CA "$pki/$1.crt" -CAkey "$pki/$1.key" -CAcreateserial -days 3650 \
    -out "$pki/$2.crt" -extfile <(
      printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n' "$4"
      [ $# -lt 5 ] || printf 'subjectAltName=%s\n' "$5"
    ) 2> /dev/null
  rm "$pki/$2.csr"
}

make_kubeconfig() { # FILE CERTIFICATE
  [ ! -f "$1" ] || return 0
  (umask 077 && cat > "$1") << YAML
apiVersion: v1
kind: Config
current-context: $name
clusters:
- name: $name
  cluster:
    server: https://$host_ip:6443
    certificate-authority-data: $(base64 -w 0 "$pki/ca.crt")
contexts:
- name: $name
  context: {cluster: $name, user: $2}
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w 0 "$pki/$2.crt")
    client-key-data: $(base64 -w 0 "$pki/$2.key")
YAML
}

make_client() { # NAME SUBJECT: a certificate and a kubeconfig
  make_certificate ca "$1" "$2" clientAuth
  make_kubeconfig "$kubeconfigs/$1" "$1"
}

make_pki() {
  local service=kubernetes.default.svc
  make_ca ca
  make_ca front-proxy-ca
  make_certificate ca apiserver /CN=kube-apiserver serverAuth \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,IP:$service_net.0.1,IP:$host_ip"
  make_certificate ca apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  make_certificate front-proxy-ca front-proxy-client /CN=front-proxy-client clientAuth
  make_client admin /O=system:masters/CN=admin
  make_client controller-manager /CN=system:kube-controller-manager
  make_client scheduler /CN=system:kube-scheduler
  make_client kube-proxy /CN=system:kube-proxy
  make_client coredns /CN=system:coredns
  ln -sf kubeconfigs/admin "$state/kubeconfig"
  [ -f "$pki/service-accounts.key" ] || openssl genrsa -out "$pki/service-accounts.key" 2048 2> /dev/null
}

make_node_pki() { # NODE IP
  make_client "$1" "/O=system:nodes/CN=system:node:$1"
  make_certificate ca "$1-serving" "/O=system:nodes/CN=system:node:$1" serverAuth "DNS:$1,IP:$2"
}
