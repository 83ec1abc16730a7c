#!/usr/bin/env bash
# Prints the path of the azapi provider's binary, which is built from source the
# first time (about a minute on two cores) and kept in the cache:
#
#   scripts/azapi-provider.sh
#
# AZAPI_BINARY names one that is built already. This is the newest release that the
# go command knows by its version: those from 2.0 on have a module path without /v2.
set -euo pipefail

version=1.15.0
module=github.com/Azure/terraform-provider-azapi

if [ -n "${AZAPI_BINARY:-}" ]; then
  [ -x "$AZAPI_BINARY" ] || { echo "$AZAPI_BINARY is no program: unset AZAPI_BINARY, or build it" >&2; exit 2; }
  echo "$AZAPI_BINARY"
  exit
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloister
binary=$cache/terraform-provider-azapi_v$version
if [ ! -x "$binary" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  echo "building azapi $version, once" >&2
  # It builds in the module's own folder, whose go.mod says the versions.
  if ! source=$(go mod download -json "$module@v$version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p') ||
    ! env -C "$source" CGO_ENABLED=0 go build -p 2 -mod=readonly -trimpath -ldflags "-s -w" -o "$work/azapi" . >"$work/build.log" 2>&1; then
    tail -n 20 "$work/build.log" >&2
    echo "azapi $version did not build" >&2
    exit 2
  fi
  mv "$work/azapi" "$binary"
fi
echo "$binary"
