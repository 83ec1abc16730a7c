#!/usr/bin/env bash
# Prints the path of the azurerm provider's binary, which is built from source the
# first time (about ten minutes on two cores) and kept in the cache:
#
#   scripts/azurerm-provider.sh
#
# PROVIDER_BINARY names one that is built already.
set -euo pipefail

version=5.2.0
revision=v1.44.1-0.20260824201233-fae580791926
module=github.com/hashicorp/terraform-provider-azurerm

if [ -n "${PROVIDER_BINARY:-}" ]; then
  [ -x "$PROVIDER_BINARY" ] || { echo "$PROVIDER_BINARY is no program: unset PROVIDER_BINARY, or build it" >&2; exit 2; }
  echo "$PROVIDER_BINARY"
  exit
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloister
binary=$cache/terraform-provider-azurerm_v$version
if [ ! -x "$binary" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  echo "building azurerm $version, once" >&2
  if ! env CGO_ENABLED=0 GOBIN="$work" GOFLAGS=-p=2 go install -trimpath \
    -ldflags "-s -w -X $module/version.ProviderVersion=$version" "$module@$revision" >"$work/build.log" 2>&1; then
    tail -n 20 "$work/build.log" >&2
    echo "azurerm $version did not build" >&2
    exit 2
  fi
  mv "$work/terraform-provider-azurerm" "$binary"
fi
echo "$binary"
