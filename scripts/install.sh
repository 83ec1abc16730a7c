#!/usr/bin/env bash
# Installs from the distribution what this machine lacks to run Cloister. It asks
# apt only when something is missing, and says what. With "test", what the tests use
# besides.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need runc runc
need mmdebstrap mmdebstrap
need git git
need python3 python3
need ip iproute2
# The tests run a PostgreSQL server of their own, and are skipped without it.
if [ "${1:-}" = test ] && [ -z "$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ] && ! command -v initdb >/dev/null 2>&1; then
  missing+=(postgresql)
fi
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
echo "installing: ${missing[*]}"
if ! command -v apt-get >/dev/null 2>&1; then
  echo "this is not Debian or Ubuntu: install ${missing[*]} and run make again" >&2
  exit 2
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  sudo=$(command -v sudo) || { echo "installing packages needs root: run make as root, or install ${missing[*]} first" >&2; exit 2; }
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
