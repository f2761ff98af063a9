#!/usr/bin/env bash
# Builds the image with Docker, or with buildah where no Docker engine answers; says beforehand what it runs. Called by `make image` and by
# tests/image. Usage: build.sh TAG TARGET [FOLDER [FURTHER OPTIONS…]]; FOLDER holds the Dockerfile.
#
# What pip needs on this machine (its settings file, a certificate of a proxy) goes along as secrets, which stay in no layer.
set -euo pipefail

tag=${1:?Give the tag} target=${2-serve} folder=${3:-.}
shift $(($# < 3 ? $# : 3))
cd "$(dirname "$0")/../.."

export DOCKER_BUILDKIT=1 # the default from Docker 23 on; secrets need it
if docker info >/dev/null 2>&1; then
  command=(docker build --progress plain --platform linux/amd64) # Azure's base is for no other
elif command -v buildah >/dev/null; then
  # chroot isolation wants no privilege but root's, so that it also runs inside a container.
  command=(buildah build --isolation chroot --format docker --layers)
else
  echo "Expected a Docker engine, or buildah (Debian: apt-get install buildah). Received: neither." >&2
  exit 2
fi

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' core/__init__.py)
revision=$(git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown)
command+=(--tag "$tag")
[ -z "$target" ] || command+=(--target "$target")
command+=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision")
[ -z "${BASE:-}" ] || command+=(--build-arg "BASE=$BASE")
[ -z "${SOURCE:-}" ] || command+=(--build-arg "SOURCE=$SOURCE")

settings=${PIP_CONFIG_FILE:-/etc/pip.conf}
certificate=${PIP_CERT:-${SSL_CERT_FILE:-}}
[ ! -f "$settings" ] || command+=(--secret "id=pip,src=$settings")
[ ! -f "$certificate" ] || command+=(--secret "id=ca,src=$certificate")

echo "+ ${command[*]} $* $folder"
exec "${command[@]}" "$@" "$folder"
