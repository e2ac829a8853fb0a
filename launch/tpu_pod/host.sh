#!/usr/bin/env bash
# Sets up a host of a pod and starts its run. The machine runs this as root at every start; the
# launcher writes the values of NAME, BUCKET, HOSTS, LIMIT_SECONDS, DELETE_WHEN_DONE and DELETE above.
# shellcheck disable=SC2153
set -euo pipefail

root=${SYMMFLOW_ROOT:-} # Another root for tests.
home=$root/opt/symmflow
bucket=$root/mnt/symmflow
pod=$bucket/pods/$NAME
export HOME=/root

# The launcher reads these notes.
note() {
  mkdir -p "$pod/status" "$pod/log"
  echo "$1" >"$pod/status/$(hostname)"
  # No log is no reason to fail.
  journalctl --unit=symmflow --lines=2000 --output=cat >"$pod/log/$(hostname)" || true
}

over() {
  note "$1"
  touch "$home/over"
}

all_done() { [[ $(cat "$pod"/status/* | grep --count --line-regexp 'done') == "$HOSTS" ]]; }

delete_pod() {
  # The other hosts may be first; and without the right to delete, the launcher does it.
  bash -c "$DELETE" || true
}

# After every end of the program. EXIT_STATUS is systemd's: a number, or the name of a signal.
ended() {
  if [[ $EXIT_STATUS != 0 ]]; then
    echo "$EXIT_STATUS" >"$home/last"
    note "ended $EXIT_STATUS"
    return
  fi
  over 'done'
  # The last host deletes the pod: the first must not end what the others still write.
  if [[ $DELETE_WHEN_DONE == true ]] && all_done; then delete_pod; fi
}

# A run that cannot go on by itself. Its log is in the bucket; an idle pod would cost.
give_up() {
  over "$1"
  if [[ $DELETE_WHEN_DONE == true ]]; then delete_pod; fi
}

# When systemd starts the program no more.
failed() { give_up "failed with exit status $(cat "$home/last")"; }

# When the time of the pod is nearly over.
limit() {
  systemctl stop symmflow || true
  [[ -e $home/over ]] || over limit
  delete_pod
}

install_gcsfuse() {
  command -v gcsfuse >/dev/null && return
  export DEBIAN_FRONTEND=noninteractive
  curl --fail --silent --show-error --retry 5 https://packages.cloud.google.com/apt/doc/apt-key.gpg \
    >"$root/usr/share/keyrings/cloud.google.asc"
  echo "deb [signed-by=/usr/share/keyrings/cloud.google.asc] https://packages.cloud.google.com/apt gcsfuse-$(lsb_release --codename --short) main" \
    >"$root/etc/apt/sources.list.d/gcsfuse.list"
  # A new machine often installs updates of its own at first.
  apt-get -o DPkg::Lock::Timeout=600 update
  apt-get -o DPkg::Lock::Timeout=600 install --yes gcsfuse
}

note_first_host() {
  local number
  number=$(curl --fail --silent --header 'Metadata-Flavor: Google' \
    http://metadata.google.internal/computeMetadata/v1/instance/attributes/agent-worker-number || echo 0)
  if [[ $number == 0 ]]; then hostname >"$pod/first-host"; fi
}

install_project() {
  command -v uv >/dev/null ||
    curl --fail --silent --show-error --location --retry 5 https://astral.sh/uv/install.sh |
    env UV_INSTALL_DIR=/usr/local/bin UV_NO_MODIFY_PATH=1 sh
  rm -rf "$home/code"
  mkdir -p "$home/code"
  tar --extract --gzip --file="$pod/code.tar.gz" --directory="$home/code"
  cp "$pod/command" "$home/command"
  [[ -e $home/venv ]] || uv venv --python 3.12 "$home/venv"
  uv pip install --python "$home/venv/bin/python" -e "$home/code[gcs,tpu]"
}

# The bucket has a unit of its own, before the run's: when the machine is taken away, the run saves
# before the bucket goes.
#   rename-dir-limit: checkpoints are written beside their place and then renamed.
#   metadata-cache-ttl-secs: every host sees at once what the others write.
#
# 75 (a process was lost) and 143 (saved and left on a signal) start again; 1 and 2 (a mistake in
# the command or the config) do not. The stop of a machine is no failure.
write_units() {
  cat >"$root/etc/systemd/system/symmflow-bucket.service" <<UNIT
[Unit]
Description=the bucket of symmflow_jax
After=network-online.target
Wants=network-online.target

[Service]
Environment=HOME=/root
ExecStart=/usr/bin/gcsfuse --foreground --implicit-dirs --rename-dir-limit=200000 --metadata-cache-ttl-secs=0 -o allow_other $BUCKET $bucket
ExecStartPost=/bin/bash -c 'until mountpoint --quiet $bucket; do sleep 1; done'
Restart=always
RestartSec=5
UNIT
  cat >"$root/etc/systemd/system/symmflow.service" <<UNIT
[Unit]
Description=symmflow_jax
After=symmflow-bucket.service
Requires=symmflow-bucket.service
OnFailure=symmflow-failed.service
StartLimitIntervalSec=3600
StartLimitBurst=10

[Service]
Environment=HOME=/root PYTHONUNBUFFERED=1 JAX_COMPILATION_CACHE_DIR=$bucket/cache/jax
# One host may be set up long before another.
Environment=SYMMFLOW_STARTUP_TIMEOUT=1800
WorkingDirectory=$home/code
ExecStart=/bin/bash $home/command
ExecStopPost=/bin/bash $home/host.sh ended
Restart=on-failure
RestartSec=20
RestartForceExitStatus=75 143
RestartPreventExitStatus=1 2
SuccessExitStatus=143
KillMode=mixed
TimeoutStopSec=600
UNIT
  cat >"$root/etc/systemd/system/symmflow-failed.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/bin/bash $home/host.sh failed
UNIT
  systemctl daemon-reload
}

start_limit() {
  ((LIMIT_SECONDS == 0)) || systemctl is-active --quiet symmflow-limit.timer ||
    systemd-run --unit=symmflow-limit --on-active="${LIMIT_SECONDS}s" \
      /bin/bash "$home/host.sh" limit
}

setup() {
  mkdir -p "$home"
  [[ $0 -ef $home/host.sh ]] || cp "$0" "$home/host.sh"
  rm -f "$home/over"
  start_limit
  install_gcsfuse
  write_units
  mkdir -p "$bucket"
  systemctl start symmflow-bucket
  trap 'give_up "failed to set up: see the log"' ERR
  set -o errtrace
  note_first_host
  systemctl stop symmflow || true # A run that goes on saves and leaves.
  install_project
  systemctl reset-failed symmflow || true
  note running
  systemctl restart symmflow
}

"${1:-setup}"
