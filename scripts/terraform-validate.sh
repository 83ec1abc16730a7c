#!/usr/bin/env bash
# Validates a directory of Terraform with the real azurerm and azapi providers,
# offline:
#
#   scripts/terraform-validate.sh DIR
#
# The providers are those of scripts/azurerm-provider.sh and azapi-provider.sh.
# Where the machine has no terraform, OpenTofu is built and used in its place.
set -euo pipefail

azurerm_version=5.2.0
azapi_version=1.15.0
tofu_version=v1.12.6

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
  echo "usage: $0 DIR, a directory of Terraform" >&2
  exit 2
fi
dir=$(cd "$1" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloister
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build NAME COMMAND...: runs a build whose output is shown only when it fails.
build() {
  local name=$1
  shift
  echo "building $name, once"
  if ! "$@" >"$work/build.log" 2>&1; then
    tail -n 20 "$work/build.log" >&2
    echo "$name did not build" >&2
    exit 2
  fi
}

azurerm=$(realpath "$("$(dirname "$0")/azurerm-provider.sh")")
azapi=$(realpath "$("$(dirname "$0")/azapi-provider.sh")")

# The go command does not install OpenTofu by its version, for its module replaces
# others; it builds in the module's own folder.
terraform=$(command -v terraform || command -v tofu || true)
if [ -z "$terraform" ]; then
  terraform=$cache/tofu_$tofu_version
  if [ ! -x "$terraform" ]; then
    source=$(go mod download -json "github.com/opentofu/opentofu@$tofu_version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
    build "OpenTofu $tofu_version" env -C "$source" go build -mod=readonly -trimpath -ldflags "-s -w" -o "$work/tofu" ./cmd/tofu
    mv "$work/tofu" "$terraform"
  fi
fi

# lay OWNER NAME VERSION BINARY: puts a provider where it is looked for. Both
# programs look under their own registry's name.
lay() {
  local registry mirror
  for registry in registry.terraform.io registry.opentofu.org; do
    mirror=$work/mirror/$registry/$1/$2/$3/linux_$(go env GOARCH)
    mkdir -p "$mirror"
    ln -s "$4" "$mirror/terraform-provider-$2_v$3_x5"
  done
}
lay hashicorp azurerm "$azurerm_version" "$azurerm"
lay azure azapi "$azapi_version" "$azapi"

cat >"$work/cli.tfrc" <<EOF
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$work/mirror"
  }
}
EOF

# Terraform writes a lock file beside what it reads: give it a copy.
cp -r "$dir" "$work/config"
rm -rf "$work/config/.terraform" "$work/config/.terraform.lock.hcl"
export TF_CLI_CONFIG_FILE=$work/cli.tfrc TF_DATA_DIR=$work/data TF_IN_AUTOMATION=1
cd "$work/config"
"$terraform" init -backend=false -input=false -no-color >"$work/init.log" || { cat "$work/init.log" >&2; exit 2; }
"$terraform" validate -no-color
