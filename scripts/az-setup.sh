#!/usr/bin/env bash
# Makes Python environments with the real Azure CLI and with the SDK for Python in the
# user's cache folder, and prints what a shell must set:
#
#   eval "$(scripts/az-setup.sh)"; "$AZ" version
#
# Where they cannot be installed it says so and ends with 3.
set -euo pipefail

cli=azure-cli==2.68.0
sdk=(azure-identity==1.27.0 azure-mgmt-resource==26.0.0 azure-mgmt-network==33.1.0 azure-mgmt-storage==25.3.0 azure-storage-blob==12.31.1 azure-ai-ml==1.35.2)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloister
mkdir -p "$cache"

cannot() {
  echo "az-setup: $1: the tests of az and of the SDK for Python are left out" >&2
  exit 3
}

python=$(command -v python3) || cannot "there is no python3"

# environment FOLDER REQUIREMENT... makes a folder that is whole or is not there.
environment() {
  local to=$1
  shift
  [ -e "$to/whole" ] && return
  rm -rf "$to"
  echo "az-setup: installing $*" >&2
  "$python" -m venv "$to" >&2 || cannot "python3 -m venv fails"
  "$to/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 || cannot "pip cannot install $*"
  touch "$to/whole"
}

environment "$cache/az-${cli##*==}" "$cli"
environment "$cache/python-sdk-$(echo "${sdk[@]}" | sha256sum | cut -c1-12)" "${sdk[@]}"

printf 'export AZ=%q\n' "$cache/az-${cli##*==}/bin/az"
printf 'export AZURE_PYTHON=%q\n' "$cache/python-sdk-$(echo "${sdk[@]}" | sha256sum | cut -c1-12)/bin/python"
