# Sourced by get-*.sh: packages of another Debian suite, unpacked into a directory, with apt's full signature check and
# without touching the machine's own package sources or packages.

# have_apt MESSAGE: ends the script with the message where there is no apt or no archive keyring
have_apt() {
  command -v apt-get >/dev/null 2>&1 || { echo "$1" >&2; exit 1; }
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r "$keyring" ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }
}

# The mirror that this machine uses anyway: in deb822 form, else one line each. Security mirrors carry another archive.
debian_mirror() {
  local mirror
  mirror=$(awk '/^URIs:/ { for (i = 2; i <= NF; i++) if ($i !~ /security/) { print $i; exit } }' \
    /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  [ -n "$mirror" ] || mirror=$(awk '$1 == "deb" && !/security/ { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true)
  [ -n "$mirror" ] || { echo "apt has no package source of Debian: add one to /etc/apt/sources.list.d" >&2; return 1; }
  echo "$mirror"
}

# unpack_packages SUITE DIRECTORY PACKAGE...
unpack_packages() {
  local suite=$1 directory=$2 mirror unpacked package
  shift 2
  mirror=$(debian_mirror)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/etc/{preferences.d,sources.d} "$work"/lists/partial "$work"/cache/archives/partial
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suite" "$keyring" \
    >"$work/etc/sources.d/$suite.sources"
  : >"$work/status"
  local apt=(apt-get -qq
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/etc/sources.d"
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/etc/preferences.d"
    -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache"
    -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=
    -o APT::Get::AllowUnauthenticated=false)
  "${apt[@]}" update >&2
  (cd "$work" && "${apt[@]}" download "$@" >&2)
  # Unpacked beside the directory and moved there at the end: two runs at the same time must not see half a program.
  mkdir -p "$(dirname "$directory")"
  unpacked=$(mktemp -d "$directory.XXXXXX")
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$unpacked"; done
  mv -T "$unpacked" "$directory" 2>/dev/null || rm -rf "$unpacked"
}
