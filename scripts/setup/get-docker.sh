#!/usr/bin/env bash
# Fetches a newer Docker Engine for the tests, from Debian's sid suite, with apt's full signature check and without touching
# the machine's own package sources or packages. runc stays the machine's: sid's needs a newer libc.
#
#   scripts/setup/get-docker.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/docker-engine
#
# Prints what to put before the PATH, so that the tests start this engine instead of the machine's:
#   PATH=$(scripts/setup/get-docker.sh):$PATH npm run test:e2e
#   DOCKER_MIN_API_VERSION=1.44 …               as engines that refuse older clients
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/docker-engine}
path=$directory/usr/sbin:$directory/usr/bin

if [ -x "$directory/usr/sbin/dockerd" ]; then echo "$path"; exit 0; fi
have_apt "no apt to fetch it with: install Docker Engine 28 or newer"
unpack_packages sid "$directory" docker.io docker-cli containerd
PATH=$path:$PATH dockerd --version >&2
echo "$path"
