#!/usr/bin/env bash
# Fetches Consul for the tests, from Debian's bullseye suite (the last one that carries it), with apt's full signature
# check and without touching the machine's own package sources or packages.
#
#   scripts/setup/get-consul.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/consul
#
# Prints the path of the program. Where `consul` is on the PATH already, that one is named and nothing is fetched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/consul}
program=$directory/usr/bin/consul

if [ -x "$program" ]; then echo "$program"; exit 0; fi
if command -v consul >/dev/null 2>&1; then command -v consul; exit 0; fi
have_apt "no consul on the PATH, and no apt to fetch it with: install it from https://developer.hashicorp.com/consul/install"
unpack_packages bullseye "$directory" consul
"$program" version | sed -n 1p >&2
echo "$program"
