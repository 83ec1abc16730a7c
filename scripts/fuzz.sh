#!/usr/bin/env bash
# Runs every fuzz target for a while, one after the other:
#
#   scripts/fuzz.sh [DURATION [PACKAGE...]]
#
# DURATION is of each (30s); without packages all are run. What a target finds is
# kept under the package's testdata/fuzz, to be committed with what mends it. Inputs
# that only cover something new are not made smaller: for directories that takes the
# whole time.
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-30s}
shift || true
packages=("$@")
[ ${#packages[@]} -gt 0 ] || mapfile -t packages < <(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n 1 dirname | sort -u)

failed=0
for package in "${packages[@]}"; do
  for target in $(grep -hoE '^func Fuzz[A-Za-z0-9]+' "$package"/*_test.go | sed 's/^func //' | sort); do
    printf '%-50s %-28s ' "$package" "$target"
    if out=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" -fuzzminimizetime 10x "$package" 2>&1); then
      grep -oE 'execs: [0-9]+ ' <<<"$out" | tail -n 1 || echo
    else
      echo "FAILED"
      tail -n 30 <<<"$out"
      failed=1
    fi
  done
done
exit "$failed"
