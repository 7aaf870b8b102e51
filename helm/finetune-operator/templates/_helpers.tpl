{{- define "finetune-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of all objects; 50 characters leave room for what follows it in some names. */}}
{{- define "finetune-operator.fullname" -}}
{{- $name := include "finetune-operator.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $full | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "finetune-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "finetune-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "finetune-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "finetune-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: finetune-operator
{{- end -}}

{{- define "finetune-operator.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "finetune-operator.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $default -}}
{{- end -}}

{{- define "finetune-operator.image" -}}
{{- with .Values.image.digest -}}
{{ $.Values.image.repository }}@{{ . }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "finetune-operator.trainerImage" -}}
{{- $tag := printf "%s-%s" .Chart.AppVersion .Values.trainerImage.flavour -}}
{{ .Values.trainerImage.repository }}:{{ .Values.trainerImage.tag | default $tag }}
{{- end -}}

{{/* The settings below a prefix as environment variables; the prefix FINETUNE and the key trainer.userId give FINETUNE_TRAINER_USER_ID. */}}
{{- define "finetune-operator.settings" -}}
{{- range $key, $value := .settings }}
{{- $name := printf "%s_%s" $.prefix (snakecase $key | upper) }}
{{- if kindIs "map" $value }}
{{- include "finetune-operator.settings" (dict "prefix" $name "settings" $value) }}
{{- else }}
- name: {{ $name }}
  value: {{ kindIs "float64" $value | ternary (printf "%.0f" (float64 $value)) $value | toString | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Selects every trainer's pod: the operator labels each with the name of its FineTuneJob. */}}
{{- define "finetune-operator.trainerSelector" -}}
matchExpressions:
  - key: finetune.dev/job
    operator: Exists
{{- end -}}
