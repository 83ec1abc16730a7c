#!/usr/bin/env bash
# Times the control plane under load on two processors: a document is read and
# written by sixteen clients at once, over TLS, while five hundred are in the store.
# p50 and p99 are in milliseconds. PostgreSQL takes part where it is installed:
#
#   bench/control-plane.sh
#
# A peer takes part where PEER is the address of its Resource Manager, as
# http://127.0.0.1:4566 of a miniblue that was built from its sources and started
# by hand: it does not install through the Go module proxy, as cloudemu does not.
# Topaz, floci-az and LocalStack for Azure are no Go programs and are left out.
# miniblue keeps everything in memory, speaks plain HTTP here and checks no token: its
# figures are what a control plane costs without any of that.
# COUNT is how many requests are made (2000).
set -euo pipefail

cd "$(dirname "$0")/.."
echo "$(nproc) processors, $(go version)"
CGO_ENABLED=0 CLOISTER_PEER="${PEER:-}" go test -run '^$' -bench '^BenchmarkLoad' -benchtime "${COUNT:-2000}x" -cpu 2 ./internal/cloud/ |
  grep -E '^Benchmark|^FAIL|SKIP|no PostgreSQL'
[ -n "${PEER:-}" ] || echo "no peer: PEER names none"
