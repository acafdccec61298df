#!/usr/bin/env bash
# Lays out libostree's own shell tests of one release, unchanged, from Debian's packages, for run-suite.sh.
# usage: get-suite.sh DEST 2022.7|2026.4     makes DEST/suites/RELEASE; needs root (apt) and Debian's mirror, for 2026.4 with its "sid"
set -euo pipefail
[ $# = 2 ] || { sed -n '2,3p' "$0" >&2; exit 2; }
dest=$(mkdir -p "$1" && cd "$1" && pwd) release=$2
installed=/usr/libexec/installed-tests/libostree
fail() { echo "error: $*" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
want=(ostree ostree-tests attr strace gnupg parallel bc python3 python3-yaml file xz-utils zstd fuse3 procps gjs)
missing=()
for package in "${want[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "libostree-suite: installing ${missing[*]}"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

lay() { # lay TESTS: the tests with their web server beside them
  local to=$dest/suites/$release.new
  rm -rf "$to"; mkdir -p "$to/installed-tests" "$to/libostree"
  cp -a "$1" "$to/installed-tests/libostree"
  # Release 2026.4's C programs need a newer libc than this machine's: its own builds of them do.
  cp -a "$(find /usr/libexec /usr/lib -name ostree-trivial-httpd -type f | head -n 1)" "$to/libostree/"
  if [ "$release" != 2022.7 ]; then
    cp -a "$to/libostree/ostree-trivial-httpd" "$installed/repo-finder-mount" "$to/installed-tests/libostree/"
  fi
  rm -rf "$dest/suites/$release"; mv "$to" "$dest/suites/$release"
  echo "libostree-suite: $(ls "$dest/suites/$release/installed-tests/libostree"/test-*.sh | wc -l) tests of $release in $dest"
}

case $release in
  2022.7)
    have=$(dpkg-query -W -f '${Version}' ostree-tests)
    [[ $have == 2022.7* ]] || fail "ostree-tests of 2022.7 (Debian 12) is needed, this machine has $have"
    lay "$installed" ;;
  2026.4)
    # Through an apt configuration of its own: nothing of sid is installed, and the machine's lists stay as they are.
    apt=$dest/apt; rm -rf "$apt"; mkdir -p "$apt/lists/partial" "$apt/deb"
    mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || mirror=$(grep -hoE '^deb (\[[^]]*\] )?[a-z]+://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1 | sed 's/.* //') || true
    [ -n "$mirror" ] || fail "no Debian mirror in this machine's apt sources"
    options=(-o Dir::Etc::sourcelist="$apt/sid.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists="$apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    for trust in "signed-by=$keys" trusted=yes; do
      echo "deb [$trust] $mirror sid main" >"$apt/sid.list"
      if apt-get "${options[@]}" update -qq 2>"$apt/update.log"; then break; fi
      # A mirror of one's own may not carry Debian's signatures.
      [ "$trust" != trusted=yes ] || fail "this machine's Debian mirror has no usable sid, where the tests of $release come from: $(tail -n 1 "$apt/update.log"); 'make libostree-suite SUITE=2022.7' needs none"
    done
    (cd "$apt/deb" && apt-get "${options[@]}" download -qq ostree-tests && dpkg-deb -x ostree-tests_*.deb x)
    lay "$apt/deb/x$installed"
    rm -rf "$apt" ;;
  *) fail "no such release of the tests: $release (2022.7 or 2026.4)" ;;
esac
