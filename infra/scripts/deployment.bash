# What the scripts beside this one share: saying, asking, running, and the images. Sourced, never run.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

# What `make image` built, and the tag that it gets in the registry. Of the deployment's own name, a tag says nothing: the commit does.
IMAGE=${IMAGE:-pneumonia-functions}
COMMIT=${COMMIT:-$(git rev-parse --short=12 HEAD)}
TARGETS="serve train"
# Stands where Terraform and Bicep want an image and there is none yet, or none any more.
NO_IMAGE=none.invalid/none:none

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Variables by name and mapfile; what macOS brings is of 2007.
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 403)) || fail "Expected bash 4.3 or later. Received: $BASH_VERSION. On macOS: brew install bash"

need() { # PROGRAM WHERE-TO-GET-IT
  command -v "$1" >/dev/null 2>&1 || fail "Expected $1 on the PATH. Received: none. $2"
}

# Show a command, then run it; its failure ends the script with a sentence.
run() {
  printf '+ %s\n' "$*"
  local code=0
  "$@" || code=$?
  [ "$code" = 0 ] || fail "Expected \`$1 ${2-}\` to succeed. Received: exit status $code. What was done stays; run the same again to go on."
}

# Put what a command answers into a variable; its failure ends the script. In a condition `$(…)` alone would pass for an empty answer.
ask() { # VARIABLE COMMAND…
  local -n answer=$1
  shift
  local code=0
  answer=$("$@") || code=$?
  [ "$code" = 0 ] || fail "Expected an answer of \`$1 ${2-} ${3-}\`. Received: exit status $code."
}

# Nothing is done, paid or deleted without this word.
confirm() { # WHAT TO CALL, WITH THE FLAG
  [ "${YES:-}" = 1 ] && return
  say "
Nothing was done. To do it: $1 YES=1"
  exit 0
}

local_image() { printf '%s:%s' "$IMAGE" "$1"; } # TARGET

# The image here must be what the tag will say.
check_image() { # TARGET
  local label='{{index .Config.Labels "org.opencontainers.image.revision"}}' revision
  revision=$(docker image inspect --format "$label" "$(local_image "$1")" 2>/dev/null) ||
    fail "Expected the image $(local_image "$1"). Received: none. Build it: make image TARGET=$1"
  case $revision in
    *-dirty | "${revision#"$COMMIT"}")
      fail "Expected $(local_image "$1") to be of commit $COMMIT. Received: $revision. Commit, then build it again: make image TARGET=$1"
      ;;
  esac
}

# Push what is not in the registry yet. Needs registry_url, registry_login and remote_digest of gcp.bash or azure.bash.
push_images() {
  need docker "See https://docs.docker.com/get-started/get-docker/"
  docker info >/dev/null 2>&1 || fail "Expected a Docker engine that answers. Received: none. Start it, or join its group."
  registry_login
  local target
  for target in $TARGETS; do
    if [ -n "$(remote_digest "$target")" ]; then
      say "$target:$COMMIT is in the registry already."
      continue
    fi
    check_image "$target"
    run docker tag "$(local_image "$target")" "$(registry_url)/$target:$COMMIT"
    run docker push "$(registry_url)/$target:$COMMIT"
  done
}

# The pushed image by its digest: a tag can be moved, and then something else runs than was pushed.
pinned() { # TARGET
  local digest
  digest=$(remote_digest "$1")
  [ -n "$digest" ] || fail "Expected $1:$COMMIT in $(registry_url). Received: none."
  printf '%s/%s@%s' "$(registry_url)" "$1" "$digest"
}

# 64 hexadecimal digits. Only ever piped: what stands on a command line, everybody on the machine can read.
new_token() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }
