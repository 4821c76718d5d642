{{- define "packhouse.labels" -}}
app.kubernetes.io/name: packhouse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "packhouse.shared" -}}
{{- if and .Values.database .Values.blobs }}true{{ end }}
{{- end }}
