#!/usr/bin/env bash
# Makes the folder OUT from which the real Terraform runs offline with the real
# azurerm and azapi providers, and prints what a shell must set:
#
#   eval "$(scripts/terraform-setup.sh OUT)"; "$TERRAFORM" init
#
# The providers are those of scripts/azurerm-provider.sh and azapi-provider.sh.
# Where the machine has no terraform, OpenTofu is built and used in its place.
set -euo pipefail

azurerm_version=5.2.0
azapi_version=1.15.0
tofu_version=v1.12.6

if [ $# -ne 1 ]; then
  echo "usage: $0 OUT, a folder to make" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloister
mkdir -p "$cache"

azurerm=$(realpath "$("$(dirname "$0")/azurerm-provider.sh")")
azapi=$(realpath "$("$(dirname "$0")/azapi-provider.sh")")

# The go command does not install OpenTofu by its version, for its module replaces
# others; it builds in the module's own folder.
terraform=$(command -v terraform || command -v tofu || true)
if [ -z "$terraform" ]; then
  terraform=$cache/tofu_$tofu_version
  if [ ! -x "$terraform" ]; then
    echo "building OpenTofu $tofu_version, once" >&2
    source=$(go mod download -json "github.com/opentofu/opentofu@$tofu_version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
    if ! env -C "$source" go build -mod=readonly -trimpath -ldflags "-s -w" -o "$out/tofu" ./cmd/tofu >"$out/build.log" 2>&1; then
      tail -n 20 "$out/build.log" >&2
      echo "OpenTofu $tofu_version did not build" >&2
      exit 2
    fi
    mv "$out/tofu" "$terraform"
  fi
fi

# lay OWNER NAME VERSION BINARY: puts a provider where it is looked for. Both
# programs look under their own registry's name.
lay() {
  local registry mirror
  for registry in registry.terraform.io registry.opentofu.org; do
    mirror=$out/mirror/$registry/$1/$2/$3/linux_$(go env GOARCH)
    mkdir -p "$mirror"
    ln -sf "$4" "$mirror/terraform-provider-$2_v$3_x5"
  done
}
lay hashicorp azurerm "$azurerm_version" "$azurerm"
lay azure azapi "$azapi_version" "$azapi"

cat >"$out/cli.tfrc" <<EOF
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$out/mirror"
  }
}
EOF
printf 'export TERRAFORM=%q TF_CLI_CONFIG_FILE=%q TF_IN_AUTOMATION=1\n' "$terraform" "$out/cli.tfrc"
