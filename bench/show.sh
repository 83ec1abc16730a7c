#!/usr/bin/env bash
# Times "cloister show" against the other programs that read a directory of
# Terraform, on the processor time that each takes:
#
#   bench/show.sh [DIR]
#
# terraform validate takes part where PROVIDER_BINARY names the azurerm provider
# (see scripts/terraform-setup.sh), trivy and checkov where they are installed.
# What is missing is said and left out. RUNS is how often each runs (5); the
# fastest counts. "check" is cloister's own proof of what it read, "start" the start
# of the program alone.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(cd "${1:-$root/examples/secure-mlops/terraform}" && pwd)
runs=${RUNS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S %R'

# measure NAME COMMAND...: the fastest of the runs, in milliseconds of processor
# time and of the clock. A status of 1 is findings, which are not judged here.
measure() {
  local name=$1 best= status
  shift
  for _ in $(seq "$runs"); do
    status=0
    { time "$@" >"$work/out" 2>"$work/err" || status=$?; echo "$status" >"$work/status"; } 2>"$work/time"
    if [ "$(cat "$work/status")" -gt 1 ]; then
      echo "$name: failed: $(tail -n 1 "$work/err")"
      return
    fi
    best=$(printf '%s\n%s\n' "$best" "$(awk '{ printf "%d %d", ($1 + $2) * 1000, $3 * 1000 }' "$work/time")" | grep . | sort -n | head -n 1)
  done
  echo "$best" >"$work/$name"
  read -r cpu clock <<<"$best"
  read -r ours _ <"$work/cloister"
  printf '%-10s %8d ms of processor time %8d ms of the clock %8.1f times cloister\n' "$name" "$cpu" "$clock" "$(awk -v a="$cpu" -v b="$ours" 'BEGIN { print a / (b > 0 ? b : 1) }')"
}

(cd "$root" && CGO_ENABLED=0 go build -trimpath -o "$work/bin-cloister" ./cmd/cloister)
measure cloister "$work/bin-cloister" show "$dir"
measure check "$work/bin-cloister" check "$dir"
measure start "$work/bin-cloister" help

if ! command -v terraform >/dev/null; then
  echo "terraform: not on this machine"
elif [ ! -x "${PROVIDER_BINARY:-}" ]; then
  echo "terraform: PROVIDER_BINARY names no provider; scripts/terraform-setup.sh builds one"
elif ! setup=$("$root/scripts/terraform-setup.sh" "$work"); then
  echo "terraform: its providers are not to be had"
else
  eval "$setup"
  cp -r "$dir" "$work/config"
  rm -rf "$work/config/.terraform" "$work/config/.terraform.lock.hcl"
  if "$TERRAFORM" -chdir="$work/config" init -backend=false -input=false -no-color >"$work/init" 2>&1; then
    measure terraform "$TERRAFORM" -chdir="$work/config" validate -no-color
  else
    echo "terraform: init failed: $(grep -m 1 Error "$work/init" || tail -n 1 "$work/init")"
  fi
fi

if command -v trivy >/dev/null; then
  measure trivy trivy config --quiet --skip-check-update "$dir"
else
  echo "trivy: not on this machine"
fi
if command -v checkov >/dev/null; then
  measure checkov checkov --quiet --compact --framework terraform -d "$dir"
else
  echo "checkov: not on this machine"
fi
