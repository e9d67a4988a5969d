{{- define "why401.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "why401.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "why401.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "why401.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "why401.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "why401.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "why401.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Of `dict "root" $ "component" NAME`. */}}
{{- define "why401.selector" -}}
app.kubernetes.io/name: {{ include "why401.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "why401.labels" -}}
app.kubernetes.io/name: {{ include "why401.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* What cannot work is a sentence here, not a pod that restarts for ever. */}}
{{- define "why401.check" -}}
{{- $v := .Values -}}
{{- if and (eq $v.otlp.listen "pod") $v.otlp.enabled (not $v.insecure) (not $v.secrets.otlpTls.name) -}}
{{- fail "otlp.listen=pod requires secrets.otlpTls.name, and bearer tokens, client certificates or [otlp.oidc]; or insecure=true" -}}
{{- end -}}
{{- if and (eq $v.otlp.listen "pod") $v.otlp.enabled (not $v.insecure) (not $v.secrets.otlpTokens.name) (not $v.secrets.otlpClientCa.name) (not (contains "[otlp.oidc]" $v.config)) -}}
{{- fail "otlp.listen=pod requires secrets.otlpTokens.name, secrets.otlpClientCa.name or [otlp.oidc] in config; or insecure=true" -}}
{{- end -}}
{{- if and (eq $v.page.listen "pod") $v.page.enabled (not $v.insecure) (not (contains "[dashboard.login]" $v.config)) -}}
{{- fail "page.listen=pod requires [dashboard.login] in config; or insecure=true" -}}
{{- end -}}
{{- if eq $v.mode "distributed" -}}
{{- if not $v.kafka.bootstrap -}}{{- fail "mode=distributed requires kafka.bootstrap" -}}{{- end -}}
{{- if not $v.secrets.pseudonymKey.name -}}{{- fail "mode=distributed requires secrets.pseudonymKey.name: all collectors need the same key" -}}{{- end -}}
{{- if not $v.secrets.catalog.name -}}{{- fail "mode=distributed requires secrets.catalog.name: a PostgreSQL catalog, which several pods share" -}}{{- end -}}
{{- if not (hasPrefix "s3://" $v.store.dataPath) -}}{{- fail "mode=distributed requires store.dataPath, such as s3://bucket/lake/" -}}{{- end -}}
{{- if and (not $v.kafka.topics) (or (not $v.otlp.enabled) (ne $v.otlp.listen "pod")) -}}{{- fail "mode=distributed requires a source: kafka.topics, or otlp.listen=pod" -}}{{- end -}}
{{- if and $v.collector.autoscaling.enabled (not $v.kafka.topics) -}}{{- fail "collector.autoscaling requires kafka.topics: it goes by what waits there" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "why401.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
# Else a restart opens the files in the volume to the group, and why401 refuses keys that others can read.
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "why401.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Of `dict "root" $ "component" NAME`: what all pods have. */}}
{{- define "why401.podSettings" -}}
{{- $v := .root.Values -}}
serviceAccountName: {{ include "why401.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 60 # what was taken is committed first
securityContext:
  {{- include "why401.podSecurity" .root | nindent 2 }}
{{- with $v.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if ne .component "up" }}
topologySpreadConstraints:
{{- if $v.topologySpreadConstraints }}
  {{- toYaml $v.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "why401.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "why401.podMetadata" -}}
labels:
  {{- include "why401.selector" . | nindent 2 }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # A changed configuration is read at a start.
  checksum/config: {{ .root.Values.config | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Which secrets a component reads: `dict "root" $ "component" up|collector|analyzer|page` -> YAML list of {secret, items}. */}}
{{- define "why401.secretsOf" -}}
{{- $s := .root.Values.secrets -}}
{{- $reads := has .component (list "up" "collector") -}}
{{- $kafka := and .root.Values.kafka.bootstrap (ne .component "page") -}}
{{- $lake := and (eq .root.Values.mode "distributed") (has .component (list "analyzer" "page")) -}}
{{- $judges := has .component (list "up" "analyzer") -}}
{{- if and $reads $s.pseudonymKey.name }}
- { folder: pseudonym, name: {{ $s.pseudonymKey.name }}, key: {{ $s.pseudonymKey.key }}, env: WHY401_PSEUDONYM_KEY }
{{- end }}
{{- if and $reads $s.otlpTls.name }}
- { folder: otlp-tls, name: {{ $s.otlpTls.name }}, key: {{ $s.otlpTls.certKey }}, env: WHY401_OTLP_TLS_CERT }
- { folder: otlp-tls, name: {{ $s.otlpTls.name }}, key: {{ $s.otlpTls.keyKey }}, env: WHY401_OTLP_TLS_KEY }
{{- end }}
{{- if and $reads $s.otlpTokens.name }}
- { folder: otlp-tokens, name: {{ $s.otlpTokens.name }}, key: {{ $s.otlpTokens.key }}, env: WHY401_OTLP_TOKEN_FILE }
{{- end }}
{{- if and $reads $s.otlpClientCa.name }}
- { folder: otlp-client-ca, name: {{ $s.otlpClientCa.name }}, key: {{ $s.otlpClientCa.key }}, env: WHY401_OTLP_TLS_CLIENT_CA }
{{- end }}
{{- if and $kafka $s.kafkaPassword.name }}
- { folder: kafka-password, name: {{ $s.kafkaPassword.name }}, key: {{ $s.kafkaPassword.key }}, env: WHY401_KAFKA_SASL_PASSWORD_FILE }
{{- end }}
{{- if and $kafka $s.kafkaCa.name }}
- { folder: kafka-ca, name: {{ $s.kafkaCa.name }}, key: {{ $s.kafkaCa.key }}, env: WHY401_KAFKA_SSL_CAFILE }
{{- end }}
{{- if and $kafka $s.kafkaClient.name }}
- { folder: kafka-client, name: {{ $s.kafkaClient.name }}, key: {{ $s.kafkaClient.certKey }}, env: WHY401_KAFKA_SSL_CERTFILE }
- { folder: kafka-client, name: {{ $s.kafkaClient.name }}, key: {{ $s.kafkaClient.keyKey }}, env: WHY401_KAFKA_SSL_KEYFILE }
{{- end }}
{{- if $lake }}
- { folder: catalog, name: {{ $s.catalog.name }}, key: {{ $s.catalog.key }}, env: WHY401_STORE_CATALOG_FILE }
{{- if $s.s3.name }}
- { folder: s3, name: {{ $s.s3.name }}, key: {{ $s.s3.secretKey }}, env: WHY401_STORE_S3_SECRET_FILE }
{{- end }}
{{- end }}
{{- if and $judges $s.alerts.name }}
- { folder: alerts, name: {{ $s.alerts.name }}, key: {{ $s.alerts.key }}, env: WHY401_ALERTS_URLS_FILE }
{{- end }}
{{- if and $judges $s.exportOtlp.name }}
- { folder: export-otlp, name: {{ $s.exportOtlp.name }}, key: {{ $s.exportOtlp.key }}, env: WHY401_EXPORT_OTLP_AUTHORIZATION_FILE }
{{- end }}
{{- if and (eq .component "page") $s.pageClient.name }}
- { folder: page-client, name: {{ $s.pageClient.name }}, key: {{ $s.pageClient.key }}, env: WHY401_DASHBOARD_LOGIN_CLIENT_SECRET_FILE }
{{- end }}
{{- end -}}

{{/* env of one container. */}}
{{- define "why401.env" -}}
{{- $v := .root.Values -}}
- { name: WHY401_CONFIG, value: /etc/why401/why401.toml }
- { name: WHY401_DATA_DIR, value: /var/lib/why401/data }
{{- if has .component (list "up" "collector") }}
{{- $host := ternary $v.listenAddress "127.0.0.1" (eq $v.otlp.listen "pod") }}
- { name: WHY401_OTLP_GRPC, value: {{ ternary (printf "%s:4317" $host) "" $v.otlp.enabled | quote }} }
- { name: WHY401_OTLP_HTTP, value: {{ ternary (printf "%s:4318" $host) "" $v.otlp.enabled | quote }} }
{{- end }}
{{- if eq .component "page" }}
{{- $host := ternary $v.listenAddress "127.0.0.1" (eq $v.page.listen "pod") }}
- { name: WHY401_DASHBOARD_ADDRESS, value: {{ printf "%s:8501" $host | quote }} }
{{- with $v.page.hosts }}
- { name: WHY401_DASHBOARD_HOSTS, value: {{ join "," . | quote }} }
{{- end }}
{{- else }}
- { name: WHY401_TELEMETRY_PROMETHEUS, value: {{ printf "%s:9464" $v.listenAddress | quote }} }
{{- end }}
{{- if $v.insecure }}
- { name: WHY401_INSECURE, value: "true" }
{{- end }}
{{- if and $v.kafka.bootstrap (ne .component "page") }}
- { name: WHY401_KAFKA_BOOTSTRAP, value: {{ join "," $v.kafka.bootstrap | quote }} }
{{- if and $v.kafka.topics (ne .component "analyzer") }}
- { name: WHY401_KAFKA_TOPICS, value: {{ join "," $v.kafka.topics | quote }} }
{{- end }}
- { name: WHY401_KAFKA_GROUP, value: {{ $v.kafka.group | quote }} }
- { name: WHY401_KAFKA_EVENTS_TOPIC, value: {{ $v.kafka.eventsTopic | quote }} }
- { name: WHY401_KAFKA_SECURITY_PROTOCOL, value: {{ $v.kafka.securityProtocol }} }
{{- if $v.kafka.saslMechanism }}
- { name: WHY401_KAFKA_SASL_MECHANISM, value: {{ $v.kafka.saslMechanism }} }
- { name: WHY401_KAFKA_SASL_USERNAME, value: {{ $v.kafka.saslUsername | quote }} }
{{- end }}
{{- end }}
{{- if and (eq $v.mode "distributed") (has .component (list "analyzer" "page")) }}
- { name: WHY401_STORE_DATA_PATH, value: {{ $v.store.dataPath | quote }} }
- { name: WHY401_STORE_S3_REGION, value: {{ $v.store.s3Region | quote }} }
{{- if $v.store.s3Endpoint }}
- { name: WHY401_STORE_S3_ENDPOINT, value: {{ $v.store.s3Endpoint | quote }} }
- { name: WHY401_STORE_S3_USE_SSL, value: {{ $v.store.s3UseSsl | quote }} }
{{- end }}
{{- if $v.secrets.s3.name }}
- name: WHY401_STORE_S3_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ $v.secrets.s3.name }}, key: {{ $v.secrets.s3.keyIdKey }} } }
{{- end }}
{{- end }}
{{- range (include "why401.secretsOf" . | fromYamlArray) }}
- { name: {{ .env }}, value: /etc/why401/secrets/{{ .folder }}/{{ .key }} }
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "why401.mounts" -}}
- { name: config, mountPath: /etc/why401/why401.toml, subPath: why401.toml, readOnly: true }
- { name: data, mountPath: /var/lib/why401 }
- { name: tmp, mountPath: /tmp }
{{- $seen := dict }}
{{- range (include "why401.secretsOf" . | fromYamlArray) }}
{{- if not (hasKey $seen .folder) }}
- { name: {{ .folder }}, mountPath: /etc/why401/secrets/{{ .folder }}, readOnly: true }
{{- $_ := set $seen .folder true }}
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of `dict "root" $ "components" (list …)`: the volumes of a pod, but for `data` where it is claimed. */}}
{{- define "why401.volumes" -}}
- name: config
  configMap: { name: {{ include "why401.fullname" .root }} }
- name: tmp
  emptyDir: { sizeLimit: {{ .root.Values.temporaryFiles }} }
{{- if not .isClaimed }}
- name: data
  emptyDir: {}
{{- end }}
{{- $seen := dict }}
{{- range $component := .components }}
{{- range (include "why401.secretsOf" (dict "root" $.root "component" $component) | fromYamlArray) }}
{{- if not (hasKey $seen .folder) }}
- name: {{ .folder }}
  secret: { secretName: {{ .name }}, defaultMode: 0440 }
{{- $_ := set $seen .folder true }}
{{- end }}
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A container that serves its metrics. */}}
{{- define "why401.metricsProbes" -}}
startupProbe:
  httpGet: { path: /metrics, port: metrics }
  periodSeconds: 2
  failureThreshold: 90
readinessProbe:
  httpGet: { path: /metrics, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  httpGet: { path: /metrics, port: metrics }
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
{{- end -}}

{{- define "why401.pageProbe" -}}
{{- if eq .Values.page.listen "pod" -}}
httpGet: { path: /_stcore/health, port: page }
{{- else -}}
exec: # the page listens on loopback, where no kubelet asks
  command: [python, -c, "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"]
{{- end -}}
{{- end -}}

{{- define "why401.pageContainer" -}}
{{- $here := dict "root" . "component" "page" -}}
name: page
image: {{ include "why401.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [dashboard]
env:
  {{- include "why401.env" $here | nindent 2 }}
ports:
  - { name: page, containerPort: 8501 }
startupProbe:
  {{- include "why401.pageProbe" . | nindent 2 }}
  periodSeconds: 3
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  {{- include "why401.pageProbe" . | nindent 2 }}
  periodSeconds: 15
  timeoutSeconds: 5
livenessProbe:
  {{- include "why401.pageProbe" . | nindent 2 }}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 4
resources:
  {{- toYaml .Values.page.resources | nindent 2 }}
securityContext:
  {{- include "why401.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "why401.mounts" $here | nindent 2 }}
{{- end -}}

{{/* Of `dict "root" $ "component" C "command" W "settings" .Values.C`. */}}
{{- define "why401.workContainer" -}}
name: {{ .component }}
image: {{ include "why401.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .command }}, --workers, {{ .settings.workers | quote }}]
env:
  {{- include "why401.env" . | nindent 2 }}
ports:
  {{- if and (ne .component "analyzer") .root.Values.otlp.enabled }}
  - { name: otlp-grpc, containerPort: 4317 }
  - { name: otlp-http, containerPort: 4318 }
  {{- end }}
  - { name: metrics, containerPort: 9464 }
{{ include "why401.metricsProbes" .root }}
resources:
  {{- toYaml .settings.resources | nindent 2 }}
securityContext:
  {{- include "why401.containerSecurity" .root | nindent 2 }}
volumeMounts:
  {{- include "why401.mounts" . | nindent 2 }}
{{- end -}}
