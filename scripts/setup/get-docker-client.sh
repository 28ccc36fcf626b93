#!/usr/bin/env bash
# Prints the path of a Docker client that has `docker stack config` (25 or newer): the machine's own, else Debian sid's.
#
#   scripts/setup/get-docker-client.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/docker-client
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/docker-client}
program=$directory/usr/bin/docker

if docker stack config --help >/dev/null 2>&1; then command -v docker; exit 0; fi
if [ -x "$program" ]; then echo "$program"; exit 0; fi
have_apt "no apt to fetch it with: install the Docker client 25 or newer"
unpack_packages sid "$directory" docker-cli
"$program" --version >&2
echo "$program"
