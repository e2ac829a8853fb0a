# shellcheck shell=bash
# What the launchers share; each sources this file.

fail() {
  echo "$(basename "$0"): $1 (--help explains)" >&2
  exit 2
}

# Quotes only what a shell would take apart.
quote() {
  if [[ $1 =~ ^[A-Za-z0-9_./=:,@%+-]+$ ]]; then printf '%s' "$1"; else printf '%s' "${1@Q}"; fi
}

quote_all() {
  local words=() word
  for word in "$@"; do words+=("$(quote "$word")"); done
  echo "${words[*]}"
}

# Runs a command, or prints it for --dry-run.
run() {
  if [[ ${dry_run:?} == true ]]; then quote_all "$@"; else "$@"; fi
}
