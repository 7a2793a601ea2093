#!/usr/bin/env bash
# Gives the tests the DNS servers whose own checkers judge what the provider renders, and a parser of PowerShell.
#
#   setup.sh                         prepare, and print the folder
#   setup.sh run DIR PROGRAM [ARG…]  run one of the servers' programs, which sees DIR as /run/studio
#   setup.sh python                  print the Python that has the parser
#
# The servers are the distribution's packages with everything they need, unpacked into a folder of their own below
# the user's cache folder the first time. Two starts at once share it safely.
#
# Invariant: the system is not changed. No package is installed, so no daemon is enabled or started; a program runs
# inside the folder, which is its root, and without a network.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/terraform-provider-studio

# bind9 is for the server itself, which the checker does not need; bind9-dnsutils has dig, for the tests of whole networks.
PACKAGES=(bind9 bind9-dnsutils bind9-utils dnsmasq-base knot-resolver pdns-recursor unbound)

main() {
  case ${1:-} in
    '') servers; printf '%s\n' "$FOLDER" ;;
    run) shift; servers; run "$@" ;;
    python) parser; printf '%s/bin/python\n' "$FOLDER" ;;
    *) fail "unknown command \"$1\"; what there is stands at the top of $HERE/setup.sh" ;;
  esac
}

servers() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail 'the checkers are Debian packages, and this machine has no apt-get: run the tests on Debian or Ubuntu, for example in a container of debian:12'
  prepare "servers-$({ cat /etc/os-release; echo "${PACKAGES[*]}"; } | digest)" unpack_servers
}

parser() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    fail 'the parser of PowerShell needs Python 3.10 or newer with venv: on Debian and Ubuntu, apt-get install python3 python3-venv'
  prepare "powershell-$(digest <"$HERE/requirements.txt")" make_environment
}

# Calls the function with a new folder unless a whole one is there already; sets FOLDER.
prepare() {
  FOLDER=$CACHE/$1
  [[ -e $FOLDER/.complete ]] && return
  mkdir -p "$CACHE"
  exec 9>"$FOLDER.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [[ ! -e $FOLDER/.complete ]]; then
    # What is there was left by a start that was interrupted.
    rm -rf "$FOLDER"
    mkdir "$FOLDER"
    "$2" "$FOLDER" >&2
    touch "$FOLDER/.complete"
  fi
  exec 9>&-
}

# With lists and a record of installed packages of its own, apt needs no rights, and takes the whole tree of
# dependencies whatever the system has of it. Hooks, such as those by which containers empty apt's cache, are for the
# system and not for this folder.
unpack_servers() {
  local apt=$1.apt package
  rm -rf "$apt"
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial} "$1"/{dev,run,tmp}
  : >"$apt/status"
  cat >"$apt/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
END
  local get=(apt-get -qq -y -c "$apt/apt.conf")
  "${get[@]}" update || fail 'apt-get could not read its lists of packages: check /etc/apt/sources.list and the network'
  "${get[@]}" --download-only install "${PACKAGES[@]}" ||
    fail "apt-get could not get ${PACKAGES[*]}: check /etc/apt/sources.list and the network"
  for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$1"
  done
  rm -rf "$apt"
}

make_environment() {
  python3 -m venv "$1" || fail 'could not make a virtual environment'
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement "$HERE/requirements.txt" || fail 'could not install the packages of requirements.txt'
}

run() {
  local alone=(unshare --mount --net)
  if [[ $(id -u) != 0 ]]; then alone+=(--map-root-user); fi
  "${alone[@]}" true 2>/dev/null ||
    fail 'this user may not make namespaces, in which the checkers run: run the tests as root, in a container with the capability SYS_ADMIN, or allow it (Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)'
  # shellcheck disable=SC2016
  exec "${alone[@]}" bash -euc '
    mount --rbind /dev "$0/dev"
    mount -t tmpfs studio "$0/run"
    mkdir "$0/run/studio"
    mount --bind "$1" "$0/run/studio"
    shift
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$0" "$@"
  ' "$FOLDER" "$@"
}

digest() {
  sha256sum | cut -c 1-16
}

fail() {
  printf 'tests/it/forwarders/setup.sh: error: %s\n' "$1" >&2
  exit 1
}

main "$@"
