#!/usr/bin/env bash
# Makes a checkout ready: system packages, .venv, the hashed lock, compiled translations. Called by the Makefile.
#   portal/deploy/setup.sh [run|test]      run: what the site needs; test: also PostgreSQL, Chromium and Slurm
# Safe to repeat: what is there is left alone, and a second run takes about a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=portal/deploy/packages
want=${1:-run}
case $want in
  run) lists=("$here/run.txt") ;;
  test) lists=("$here/run.txt" "$here/test.txt") ;;
  *) echo "usage: portal/deploy/setup.sh [run|test]" >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# --- System packages --------------------------------------------------------------------------------------------

packages() { awk '!/^#/ && NF {print $1}' "${lists[@]}"; }

missing_packages() {
  local have
  have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | awk '$1 == "installed" {print $2}')
  packages | grep -vxF -f <(echo "$have") || true
}

has_probe() {
  case $1 in
    -) true ;;
    lib:*) python3 -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library(sys.argv[1]))' "${1#lib:}" ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

# Where there is no apt, the second column says what to look for, and nothing is installed.
missing_elsewhere() {
  local package probe
  while read -r package probe; do
    has_probe "$probe" 2>/dev/null || echo "$package"
  done < <(awk '!/^#/ && NF {print $1, $2}' "${lists[@]}")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" \
    </dev/null >"$log" 2>&1
}

apt_update() {
  say "reading the package lists"
  as_root apt-get update -qq -o DPkg::Lock::Timeout=120 </dev/null >"$log" 2>&1 || fail "apt-get update failed: $(tail -n 1 "$log")"
}

# Whether the lists on this machine name every package already.
knows_all() {
  [ "$(apt-cache policy "$@" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)"' | wc -l)" = $# ]
}

# A test machine wants the programs, not the services: a policy that forbids starting them is laid down
# for the time of the installation, unless the machine has one of its own.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\n# openhours setup\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}
allow_services() {
  if grep -qs '^# openhours setup$' "$policy"; then as_root rm -f "$policy"; fi
}

installed_units() { as_root find /etc/systemd/system -path '*.wants/*.service' 2>/dev/null | sort; }

# A package also enables its service for the next start of the machine; what this installation enabled is taken back.
disable_new_units() {
  local unit
  comm -13 "$units_before" <(installed_units) | while read -r unit; do
    as_root systemctl disable -q "$(basename "$unit")" >/dev/null 2>&1 || as_root rm -f "$unit"
  done
}

clean_up() {
  allow_services
  rm -f "$log" "$units_before"
}

install_packages() {
  log=$(mktemp)
  units_before=$(mktemp)
  trap clean_up EXIT
  installed_units >"$units_before"
  local updated=no
  knows_all "$@" || { apt_update; updated=yes; }
  say "installing $*"
  forbid_services
  if ! apt_install "$@"; then
    # Lists that have aged name packages the mirror no longer has.
    [ $updated = no ] || fail "apt-get install failed: $(tail -n 1 "$log")"
    apt_update
    apt_install "$@" || fail "apt-get install failed: $(tail -n 1 "$log")"
  fi
  disable_new_units
  clean_up
  trap - EXIT
}

system_packages() {
  local missing
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_elsewhere)
    [ ${#missing[@]} = 0 ] || fail "install what your system calls these, then run this again: ${missing[*]}"
    return
  fi
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
    fail "install these as root, then run this again: apt-get install ${missing[*]}"
  fi
  install_packages "${missing[@]}"
}

# --- Python -----------------------------------------------------------------------------------------------------

good_python() {
  "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if good_python "$candidate"; then echo "$candidate"; return; fi
  done
  fail "Python 3.11 or newer with its venv module is needed; PYTHON=/path/to/python3 names one"
}

virtual_environment() {
  local python stamp=.venv/.requirements.sha256 wanted
  if ! { [ -x .venv/bin/pip ] && .venv/bin/python -c ''; } 2>/dev/null; then
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
  fi
  wanted=$(sha256sum requirements.lock)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  say "installing requirements.lock"
  .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements.lock
  echo "$wanted" >"$stamp"
}

# --- Translations -----------------------------------------------------------------------------------------------

compile_messages() {
  local po
  for po in portal/locale/*/LC_MESSAGES/*.po; do
    [ -e "$po" ] || continue
    [ "${po%.po}.mo" -nt "$po" ] || msgfmt -o "${po%.po}.mo" "$po"
  done
}

system_packages
virtual_environment
compile_messages
