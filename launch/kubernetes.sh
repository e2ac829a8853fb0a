#!/usr/bin/env bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/common.sh
source "$root/launch/common.sh"

usage() {
  cat <<'TEXT'
Runs symmflow_jax.main on a Kubernetes cluster of Google (GKE) as a JobSet. When a process or a node
is lost, all start again and go on where the run was saved; a mistake in the command or the config
ends it. docs/pods.md leads from nothing to a running pod.

Usage: launch/kubernetes.sh --name=NAME --image=IMAGE --accelerator=NAME --bucket=gs://BUCKET
                            --config=CONFIG [OPTION...] [ARGUMENT...]

  --name=NAME           name of the JobSet
  --image=IMAGE         image of the project, such as REGION-docker.pkg.dev/PROJECT/REPO/symmflow
  --build               first build the image with docker (launch/Dockerfile), and push it
  --accelerator=NAME    label of the nodes: tpu-v4-podslice, tpu-v5-lite-podslice, tpu-v5p-slice,
                        tpu-v6e-slice, or one of nvidia-..., such as nvidia-h100-80gb
  --topology=4x4        topology of a TPU slice
  --chips-per-host=N    default: 4, or all chips of a smaller slice
  --slices=N            number of TPU slices; default: 1
  --nodes=N             number of GPU nodes; default: 1
  --gpus-per-node=N     GPUs of each node; default: 1
  --bucket=gs://BUCKET  every pod mounts it at /mnt/symmflow
  --config=CONFIG       config file in the image, such as configs/coco.py
  --service-account=SA  Kubernetes service account that may use the bucket; default: default
  --spot                on spot nodes
  --max-restarts=N      default: 100
  --follow              show the log of the first process until the run ends
  --delete              delete the JobSet, and nothing else
  --dry-run             print the commands and the manifest, and do not run them
  --help                print this text
  ARGUMENT              any other argument is passed on to symmflow_jax.main, or --mode=doctor;
                        paths in the bucket become paths below its mount. The default of --workdir
                        is gs://BUCKET/runs/NAME.
TEXT
}

name='' image='' accelerator='' topology='' bucket='' config='' service_account=default
chips_per_host='' slices=1 nodes=1 gpus_per_node=1 max_restarts=100
build=false spot=false follow=false delete=false dry_run=false
arguments=()
options='--name --image --accelerator --topology --chips-per-host --slices --nodes --gpus-per-node'
options+=' --bucket --config --service-account --max-restarts'
switches='--build --spot --follow --delete --dry-run'
parse "$@"

[[ -n $name ]] || fail "missing: --name"
if [[ $delete == true ]]; then
  run kubectl delete jobset "$name"
  exit
fi

missing=()
[[ -n $image ]] || missing+=(--image)
[[ -n $accelerator ]] || missing+=(--accelerator)
[[ -n $bucket ]] || missing+=(--bucket)
[[ -n $config ]] || missing+=(--config)
((${#missing[@]} == 0)) || fail "missing: ${missing[*]}"
for number in slices nodes gpus_per_node max_restarts; do
  [[ ${!number} =~ ^[1-9][0-9]*$ ]] || fail "${!number} is no number for --${number//_/-}"
done
bucket=${bucket#gs://} bucket=${bucket%/}
[[ $bucket =~ ^[a-z0-9][a-z0-9._-]+$ ]] || fail "--bucket=$bucket is no bucket; give gs://NAME"

case $accelerator in
  tpu-v4-podslice | tpu-v5-lite-podslice | tpu-v5p-slice | tpu-v6e-slice)
    [[ $topology =~ ^[0-9]+x[0-9]+(x[0-9]+)?$ ]] ||
      fail "--topology=$topology is no topology of $accelerator, such as 4x4 or 2x2x4"
    all=$((${topology//x/ * }))
    chips_per_host=${chips_per_host:-$((all < 4 ? all : 4))}
    if ! [[ $chips_per_host =~ ^[1-9][0-9]*$ ]] || ((all % chips_per_host)); then
      fail "--chips-per-host=$chips_per_host does not divide the $all chips of --topology=$topology"
    fi
    target=tpu hosts=$((all / chips_per_host)) resource=google.com/tpu amount=$chips_per_host
    selector="cloud.google.com/gke-tpu-accelerator: $accelerator
                cloud.google.com/gke-tpu-topology: $topology"
    ;;
  nvidia-*)
    target=cuda hosts=$nodes slices=1 resource=nvidia.com/gpu amount=$gpus_per_node
    selector="cloud.google.com/gke-accelerator: $accelerator"
    ;;
  *)
    fail "--accelerator=$accelerator is unknown; known are tpu-v4-podslice, tpu-v5-lite-podslice,\
 tpu-v5p-slice, tpu-v6e-slice and nvidia-..."
    ;;
esac

mount=/mnt/symmflow

# A text in YAML. Kubernetes expands \$(NAME) in arguments; \$\$(NAME) is left as \$(NAME).
yaml() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "${text//\$(/\$\$(}"
}

words=("--config=$config") workdir=false
for argument in ${arguments[@]+"${arguments[@]}"}; do
  [[ $argument != --workdir* ]] || workdir=true
  local_path=$argument
  if [[ $argument == *"gs://$bucket" || $argument == *"gs://$bucket/"* ]]; then
    local_path=${argument/"gs://$bucket"/$mount}
  fi
  [[ $local_path != *gs://* ]] ||
    fail "$argument is not in gs://$bucket, the only bucket that the pods mount"
  words+=("$local_path")
done
[[ $workdir == true ]] || words+=("--workdir=$mount/runs/$name")

manifest() {
  cat <<YAML
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata:
  name: $name
YAML
  # A slice is a node pool; no two jobs share one.
  [[ $target != tpu ]] || cat <<YAML
  annotations:
    alpha.jobset.sigs.k8s.io/exclusive-topology: cloud.google.com/gke-nodepool
YAML
  cat <<YAML
spec:
  # Whatever ends a process, a lost one too (75) or a signal after which it saved (143), all start
  # again; but not after a mistake (1 or 2).
  failurePolicy:
    maxRestarts: $max_restarts
    rules:
      - action: FailJobSet
        onJobFailureReasons: [PodFailurePolicy]
  replicatedJobs:
    - name: hosts
      replicas: $slices
      template:
        spec:
          parallelism: $hosts
          completions: $hosts
          completionMode: Indexed
          backoffLimit: 0
          podFailurePolicy:
            rules:
              - action: FailJob
                onExitCodes:
                  containerName: main
                  operator: In
                  values: [1, 2]
          template:
            metadata:
              annotations:
                gke-gcsfuse/volumes: "true"
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 600
              serviceAccountName: $service_account
              nodeSelector:
                $selector
YAML
  [[ $spot == false ]] || cat <<YAML
                cloud.google.com/gke-spot: "true"
              tolerations:
                - key: cloud.google.com/gke-spot
                  operator: Equal
                  value: "true"
                  effect: NoSchedule
YAML
  cat <<YAML
              containers:
                - name: main
                  image: $image
                  args:
YAML
  for word in "${words[@]}"; do echo "                    - $(yaml "$word")"; done
  cat <<YAML
                  env:
                    - name: JAX_COMPILATION_CACHE_DIR
                      value: $mount/cache/jax
                    # One node may be there long before another.
                    - name: SYMMFLOW_STARTUP_TIMEOUT
                      value: "1800"
YAML
  # GKE tells the processes of TPUs about each other; for GPUs, the first pod is the meeting point.
  [[ $target != cuda ]] || cat <<YAML
                    - name: SYMMFLOW_NUM_PROCESSES
                      value: "$hosts"
YAML
  [[ $target != cuda ]] || ((hosts == 1)) || cat <<YAML
                    - name: SYMMFLOW_COORDINATOR
                      value: $name-hosts-0-0.$name:9531
                    - name: SYMMFLOW_PROCESS_ID
                      valueFrom:
                        fieldRef:
                          fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
YAML
  cat <<YAML
                  resources:
                    requests: {$resource: $amount}
                    limits: {$resource: $amount}
                  volumeMounts:
                    - name: bucket
                      mountPath: $mount
              volumes:
                - name: bucket
                  csi:
                    driver: gcsfuse.csi.storage.gke.io
                    volumeAttributes:
                      bucketName: $bucket
                      mountOptions: implicit-dirs,rename-dir-limit=200000,metadata-cache:ttl-secs:0
YAML
}

if [[ $build == true ]]; then
  run docker build "--file=$root/launch/Dockerfile" "--target=$target" "--tag=$image" "$root"
  run docker push "$image"
fi

if [[ $dry_run == true ]]; then
  echo "kubectl apply --filename=- <<'YAML'"
  manifest
  echo YAML
else
  manifest | kubectl apply --filename=-
fi
[[ $follow == true ]] || exit 0

logs=(kubectl logs --follow --tail=100 --container=main --prefix
  "--selector=jobset.sigs.k8s.io/jobset-name=$name,jobset.sigs.k8s.io/job-index=0,batch.kubernetes.io/job-completion-index=0")
state=(kubectl get jobset "$name" '--output=jsonpath={.status.terminalState}')
if [[ $dry_run == true ]]; then
  run "${logs[@]}"
  run "${state[@]}"
  exit
fi
shown=''
while true; do
  # While nodes are made, and between restarts, there is no log.
  "${logs[@]}" 2>/dev/null || true
  case $("${state[@]}") in
    Completed) exit 0 ;;
    Failed)
      echo "$(basename "$0"): $name failed; --delete removes it, so that it can start anew" >&2
      exit 1
      ;;
  esac
  counts=$(kubectl get jobset "$name" '--output=jsonpath=restarts: {.status.restarts}' || true)
  [[ $counts == "$shown" ]] || echo "$(date +%T)  $name: no end yet ($counts)"
  shown=$counts
  sleep "${SYMMFLOW_PAUSE:-10}"
done
