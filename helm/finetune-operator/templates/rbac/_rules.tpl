{{/*
What the operator may do in the namespaces that it serves. A test lets it run with this and nothing else, and shows from the API
server's audit log that nothing was refused and nothing is superfluous.
*/}}
{{- define "finetune-operator.rules" -}}
- apiGroups: [finetune.dev]
  resources: [finetunejobs]
  verbs: [get, list, watch]
- apiGroups: [finetune.dev]
  resources: [finetunejobs/status]
  verbs: [update]
# Asked for by OpenShift before an object may name a FineTuneJob as the owner that waits for its deletion.
- apiGroups: [finetune.dev]
  resources: [finetunejobs/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# The way to a trainer's progress where the operator can't reach the pods' addresses.
- apiGroups: [""]
  resources: [pods/proxy]
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, delete]
# Of jobs with several nodes: by it their pods find each other.
- apiGroups: [""]
  resources: [services]
  verbs: [get, create, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}
