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

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/docker-engine}
path=$directory/usr/sbin:$directory/usr/bin

if [ -x "$directory/usr/sbin/dockerd" ]; then echo "$path"; exit 0; fi
command -v apt-get >/dev/null 2>&1 || { echo "no apt to fetch it with: install Docker Engine 28 or newer" >&2; exit 1; }

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }

# The mirror that this machine uses anyway: in deb822 form, else one line each. Security mirrors carry another archive.
mirror=$(awk '/^URIs:/ { for (i = 2; i <= NF; i++) if ($i !~ /security/) { print $i; exit } }' \
  /etc/apt/sources.list.d/debian*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" && !/security/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true)
[ -n "$mirror" ] || { echo "apt has no package source of Debian: add one to /etc/apt/sources.list.d" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/etc/{preferences.d,sources.d} "$work"/lists/partial "$work"/cache/archives/partial
printf 'Types: deb\nURIs: %s\nSuites: sid\nComponents: main\nSigned-By: %s\n' "$mirror" "$keyring" \
  >"$work/etc/sources.d/sid.sources"
: >"$work/status"

apt=(apt-get -qq
  -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/etc/sources.d"
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/etc/preferences.d"
  -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache"
  -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=
  -o APT::Get::AllowUnauthenticated=false)
"${apt[@]}" update >&2
(cd "$work" && "${apt[@]}" download docker.io docker-cli containerd >&2)

# Unpacked beside its place and moved there at the end: two runs at the same time must not see half an engine.
mkdir -p "$(dirname "$directory")"
unpacked=$(mktemp -d "$directory.XXXXXX")
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$unpacked"; done
mv -T "$unpacked" "$directory" 2>/dev/null || rm -rf "$unpacked"
PATH=$path:$PATH dockerd --version >&2
echo "$path"
