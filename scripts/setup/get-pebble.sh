#!/usr/bin/env bash
# Fetches Pebble, an ACME server for tests, and its DNS server pebble-challtestsrv from Debian's sid suite, the only one
# that carries a version with renewal information and profiles. With apt's full signature check, without touching the
# machine's own package sources or packages.
#
#   scripts/setup/get-pebble.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/pebble
#
# Prints the directory that holds both programs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/pebble}
programs=$directory/usr/bin

if [ -x "$programs/pebble" ] && [ -x "$programs/pebble-challtestsrv" ]; then echo "$programs"; exit 0; fi
have_apt "no apt to fetch pebble with: put pebble and pebble-challtestsrv (2.8 or newer) into $programs"
unpack_packages sid "$directory" pebble
"$programs/pebble" -version 2>&1 | head -1 >&2 || true
echo "$programs"
