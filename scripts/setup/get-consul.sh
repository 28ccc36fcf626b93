#!/usr/bin/env bash
# Fetches Consul for the tests, from Debian's bullseye suite (the last one that carries it), with apt's full signature
# check and without touching the machine's own package sources or packages.
#
#   scripts/setup/get-consul.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/consul
#
# Prints the path of the program. Where `consul` is on the PATH already, that one is named and nothing is fetched.
set -euo pipefail

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/consul}
program=$directory/usr/bin/consul

if [ -x "$program" ]; then echo "$program"; exit 0; fi
if command -v consul >/dev/null 2>&1; then command -v consul; exit 0; fi
command -v apt-get >/dev/null 2>&1 || {
  echo "no consul on the PATH, and no apt to fetch it with: install it from https://developer.hashicorp.com/consul/install" >&2
  exit 1
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }

# The mirror that this machine uses anyway: in deb822 form, else one line each. Security mirrors carry another archive.
mirror=$(awk '/^URIs:/ { for (i = 2; i <= NF; i++) if ($i !~ /security/) { print $i; exit } }' \
  /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" && !/security/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true)
[ -n "$mirror" ] || { echo "apt has no package source that could carry consul: add one to /etc/apt/sources.list.d" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/etc/{preferences.d,sources.d} "$work"/lists/partial "$work"/cache/archives/partial
printf 'Types: deb\nURIs: %s\nSuites: bullseye\nComponents: main\nSigned-By: %s\n' "$mirror" "$keyring" \
  >"$work/etc/sources.d/bullseye.sources"
: >"$work/status"

apt=(apt-get -qq
  -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/etc/sources.d"
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/etc/preferences.d"
  -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache"
  -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=
  -o APT::Get::AllowUnauthenticated=false)
"${apt[@]}" update >&2
(cd "$work" && "${apt[@]}" download consul >&2)

# Unpacked beside its place and moved there at the end: two runs at the same time must not see half a program.
mkdir -p "$(dirname "$directory")"
unpacked=$(mktemp -d "$directory.XXXXXX")
dpkg-deb -x "$work"/consul_*.deb "$unpacked"
mv -T "$unpacked" "$directory" 2>/dev/null || rm -rf "$unpacked"
"$program" version | head -1 >&2
echo "$program"
