#!/usr/bin/env bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/common.sh
source "$root/launch/common.sh"

usage() {
  cat <<'TEXT'
Submits symmflow_jax.main to a Slurm cluster with NVIDIA GPUs. A job that is preempted, reaches its
time limit or loses a node is queued again and goes on where it was saved; a mistake in the command
or the config ends it.

Usage: launch/slurm.sh --config=CONFIG [OPTION...] [ARGUMENT...]

  --config=CONFIG      config file, such as configs/coco.py
  --nodes=N            number of nodes; default: 1
  --gpus-per-node=N    GPUs of each node; default: 1
  --per=gpu|node       one process for each GPU or for each node; default: gpu
  --time=TIME          time limit, as for sbatch
  --name=NAME          name of the job and its log; default: that of the config
  --sbatch=OPTION      further option of sbatch, as --sbatch=--partition=gpu; may be repeated
  --dry-run            print the command and the job, and do not submit it
  --help               print this text
  ARGUMENT             any other argument is passed on to symmflow_jax.main, for instance
                       --workdir=/shared/runs/coco --config.train.batch_size=64, or --mode=doctor

The job runs in the root of the checkout with the Python of this shell; both, and --workdir, must be
on a disk that all nodes share. Its log is NAME-JOB.log in the root of the checkout.
TEXT
}

config='' nodes=1 gpus_per_node=1 per=gpu time='' name='' dry_run=false sbatch=() arguments=()
options='--config --nodes --gpus-per-node --per --time --name' lists=--sbatch switches=--dry-run
parse "$@"

[[ -n $config ]] || fail "--config is missing; give a config file, such as --config=configs/coco.py"
[[ $nodes =~ ^[1-9][0-9]*$ ]] || fail "--nodes=$nodes is no number of nodes"
[[ $gpus_per_node =~ ^[1-9][0-9]*$ ]] || fail "--gpus-per-node=$gpus_per_node is no number of GPUs"
case $per in
  gpu) tasks=$gpus_per_node devices='' ;;
  # Slurm shows every task all GPUs of the job on its node, and JAX takes the one of the task's
  # number. The only process of a node would take the first alone, unless it is told.
  node) tasks=1 devices=$(seq --separator=, 0 $((gpus_per_node - 1))) ;;
  *) fail "--per=$per is unknown; known are gpu and node" ;;
esac
name=${name:-$(basename "$config" .py)}

command=(
  sbatch "--job-name=$name" "--chdir=$root" "--output=$name-%j.log" --open-mode=append
  "--nodes=$nodes" "--ntasks-per-node=$tasks" "--gpus-per-node=$gpus_per_node"
  # The program saves and leaves on SIGTERM, two minutes before the time limit.
  --requeue --signal=TERM@120
)
[[ -z $time ]] || command+=("--time=$time")
command+=(${sbatch[@]+"${sbatch[@]}"})

main=$(quote_all python -m symmflow_jax.main "--config=$config" ${arguments[@]+"${arguments[@]}"})
job="#!/usr/bin/env bash
# All tasks save before they leave: the first to leave must not end the others (--wait does, later).
trap : TERM
${devices:+export JAX_LOCAL_DEVICE_IDS=$devices
}srun --kill-on-bad-exit=0 --wait=120 $main
status=\$?
# srun has the highest status of its tasks. 1 or 2: a mistake. 143: saved and left on a signal. Any
# other, 75 or that of a killed task: a process was lost; not for ever.
case \$status in
  0 | 1 | 2) ;;
  143) scontrol requeue \"\$SLURM_JOB_ID\" ;;
  *) ((\${SLURM_RESTART_COUNT:-0} >= 50)) || scontrol requeue \"\$SLURM_JOB_ID\" ;;
esac
exit \$status"

if [[ $dry_run == true ]]; then
  echo "$(quote_all "${command[@]}") <<'JOB'"
  echo "$job"
  echo JOB
else
  "${command[@]}" <<<"$job"
fi
