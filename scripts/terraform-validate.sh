#!/usr/bin/env bash
# Validates a directory of Terraform with the real azurerm and azapi providers,
# offline:
#
#   scripts/terraform-validate.sh DIR
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
  echo "usage: $0 DIR, a directory of Terraform" >&2
  exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
setup=$("$(dirname "$0")/terraform-setup.sh" "$work")
eval "$setup"

# Terraform writes a lock file beside what it reads: give it a copy.
cp -r "$1" "$work/config"
rm -rf "$work/config/.terraform" "$work/config/.terraform.lock.hcl"
export TF_DATA_DIR=$work/data
cd "$work/config"
"$TERRAFORM" init -backend=false -input=false -no-color >"$work/init.log" || { cat "$work/init.log" >&2; exit 2; }
"$TERRAFORM" validate -no-color
