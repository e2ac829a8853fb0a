#!/usr/bin/env bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=launch/common.sh
source "$root/launch/common.sh"

usage() {
  cat <<'TEXT'
Installs the project and runs symmflow_jax.main with all NVIDIA GPUs of this host or of several.

Usage: launch/cuda.sh --config=CONFIG [OPTION...] [ARGUMENT...]

  --config=CONFIG     config file, such as configs/mnist.py
  --hosts=A,B,...     run on these hosts, over ssh; the first one coordinates
  --port=PORT         port of the first host for the coordination; default: 9531
  --restarts=N        start again so many times after a process was lost; default: 0
  --dry-run           print the commands, one per line, and do not run them
  --help              print this text
  ARGUMENT            any other argument is passed on to symmflow_jax.main, for instance
                      --workdir=runs/mnist --config.train.batch_size=64, or --mode=doctor

The commands run in the root of the checkout; paths are relative to it. With --hosts, the checkout,
--workdir and the data must be on a disk that all hosts share, at the same path, and the Python of
this shell too. Ctrl-C lets all hosts save and leave. The run ends with this command: start it on
the first host in tmux, rather than on a laptop.
TEXT
}

config='' hosts='' port=9531 restarts=0 dry_run=false arguments=()
options='--config --hosts --port --restarts' switches=--dry-run
parse "$@"
[[ -n $config ]] || fail "--config is missing; give a config file, such as --config=configs/mnist.py"
[[ $port =~ ^[1-9][0-9]{0,4}$ ]] || fail "--port=$port is no port"
[[ $restarts =~ ^[0-9]+$ ]] || fail "--restarts=$restarts is no number"

run cd "$root"
run python -m pip install -e '.[cuda]'
main=(python -m symmflow_jax.main "--config=$config" ${arguments[@]+"${arguments[@]}"})

if [[ -z $hosts ]]; then
  run "${main[@]}"
  exit
fi

IFS=, read -ra hosts <<<"$hosts"
pid_file=/tmp/symmflow-$port.pid

# A line of shell for a host, which notes its process for the signal to leave.
remote() {
  local number=$1
  main[0]=$(command -v python || echo python)
  echo "cd $(quote "$root") && echo \$\$ > $pid_file && exec env" \
    "SYMMFLOW_COORDINATOR=${hosts[0]}:$port SYMMFLOW_NUM_PROCESSES=${#hosts[@]}" \
    "SYMMFLOW_PROCESS_ID=$number $(quote_all "${main[@]}")"
}

on_host() { ssh -n -o ServerAliveInterval=30 "$1" "$2"; }

if [[ $dry_run == true ]]; then
  for number in "${!hosts[@]}"; do
    quote_all ssh -n -o ServerAliveInterval=30 "${hosts[number]}" "$(remote "$number")"
  done
  exit
fi

leave() {
  left=true
  for host in "${hosts[@]}"; do on_host "$host" "kill -TERM \$(cat $pid_file)" || true; done
}

# Starts all hosts and waits. The status is 75 if one was lost: it may have ended otherwise (255 by
# ssh), but the others say so with 75. Else it is the first that is not 0.
all_hosts() {
  local pids=() number pid one status=0
  for number in "${!hosts[@]}"; do
    # ssh in the background is not reached by Ctrl-C, so that `leave` can ask the program to save.
    on_host "${hosts[number]}" "$(remote "$number")" > >(sed --unbuffered "s/^/[${hosts[number]}] /") 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    one=0
    # A trapped signal ends a wait early.
    while wait "$pid" || one=$?; kill -0 "$pid" 2>/dev/null; do one=0; done
    if ((one == 75 || status == 0)); then status=$one; fi
  done
  return "$status"
}

left=false
trap leave INT TERM
for ((attempt = 0; ; attempt++)); do
  status=0
  all_hosts || status=$?
  if ((status != 75 || attempt >= restarts)) || [[ $left == true ]]; then exit "$status"; fi
  echo "A process was lost; starts again ($((attempt + 1)) of $restarts)." >&2
  sleep "${SYMMFLOW_PAUSE:-20}" # The port and the GPUs become free.
done
