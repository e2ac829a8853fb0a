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

# Reads a command line. An option named in `options` or `lists` has a value, which goes into its
# variable (--gpus-per-node: gpus_per_node), or is one more of it; one of `switches` makes its
# variable true. All else is one of `arguments`. The variables hold the defaults before.
parse() {
  local option variable value
  while (($#)); do
    option=${1%%=*} value=${1#*=}
    variable=${option#--} variable=${variable//-/_}
    if [[ $1 == --help || $1 == -h ]]; then
      usage
      exit
    elif [[ $option != --* || $option == *" "* ]]; then
      arguments+=("$1")
    elif [[ " ${switches:?} " == *" $1 "* ]]; then
      printf -v "$variable" true
    elif [[ " ${options:?} ${lists-} " == *" $option "* ]]; then
      if [[ $1 != *=* ]]; then
        (($# > 1)) || fail "$1 needs a value"
        value=$2
        shift
      fi
      if [[ " ${lists-} " == *" $option "* ]]; then
        eval "$variable+=(\"\$value\")"
      else
        printf -v "$variable" %s "$value"
      fi
    else
      arguments+=("$1")
    fi
    shift
  done
}
