#!/usr/bin/env bash
# Fetches Pebble, an ACME server for tests, and its DNS server pebble-challtestsrv from Debian's sid suite, the only one
# that carries a version with renewal information and profiles. With apt's full signature check, without touching the
# machine's own package sources or packages.
#
#   scripts/setup/get-pebble.sh [DIRECTORY]     default: ${SWARMGATE_CACHE:-~/.cache/swarmgate}/pebble
#
# Prints the directory that holds both programs.
set -euo pipefail

directory=${1:-${SWARMGATE_CACHE:-$HOME/.cache/swarmgate}/pebble}
programs=$directory/usr/bin

if [ -x "$programs/pebble" ] && [ -x "$programs/pebble-challtestsrv" ]; then echo "$programs"; exit 0; fi
command -v apt-get >/dev/null 2>&1 || {
  echo "no apt to fetch pebble with: put pebble and pebble-challtestsrv (2.8 or newer) into $programs" >&2
  exit 1
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }

# The mirror that this machine uses anyway: in deb822 form, else one line each. Security mirrors carry another archive.
mirror=$(awk '/^URIs:/ { for (i = 2; i <= NF; i++) if ($i !~ /security/) { print $i; exit } }' \
  /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" && !/security/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true)
[ -n "$mirror" ] || { echo "apt has no Debian mirror configured" >&2; exit 1; }

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
(cd "$work" && "${apt[@]}" download pebble >&2)

# Unpacked beside its place and moved there at the end: two runs at the same time must not see half a program.
mkdir -p "$(dirname "$directory")"
unpacked=$(mktemp -d "$directory.XXXXXX")
dpkg-deb -x "$work"/pebble_*.deb "$unpacked"
mv -T "$unpacked" "$directory" 2>/dev/null || rm -rf "$unpacked"
"$programs/pebble" -version 2>&1 | head -1 >&2 || true
echo "$programs"
