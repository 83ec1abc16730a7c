#!/bin/bash
# Prints the path of CoreDNS, which it builds the first time (some minutes, and
# the Go module proxy): make bench-fabric asks it and our own server the same.
set -euo pipefail
version=v1.14.7
dir=${XDG_CACHE_HOME:-$HOME/.cache}/cloister/bench/coredns-$version
if [ ! -x "$dir/coredns" ]; then
	mkdir -p "$dir"
	echo "building CoreDNS $version" >&2
	(cd "$dir" && GOBIN="$dir" CGO_ENABLED=0 ${GO:-go} install "github.com/coredns/coredns@$version")
fi
echo "$dir/coredns"
