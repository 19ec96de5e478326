#!/usr/bin/env bash
# The box of box-up.sh with a newer Slurm (Debian 13: 24.11, which reserves single GPUs) in a chroot.
#   modern-up.sh FOLDER    as root; the first call makes the chroot with debootstrap, later ones take seconds
# Called by fixtures.py. Its clients are reached as "chroot FOLDER env SLURM_CONF=/box/conf/slurm.conf …".
# The daemons live in their own mount namespace: /proc is mounted there only, so nothing is left behind
# when they stop, and removing the folder can never reach the machine's own files.
set -euo pipefail

scripts=$(cd "$(dirname "$0")" && pwd)
list=$(cd "$scripts/../.." && pwd)/portal/deploy/packages/test.txt
[ $# -eq 1 ] || { echo "modern-up: say which folder" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "modern-up: only root can make a chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "modern-up: debootstrap is missing; run 'make setup'" >&2; exit 1; }
mkdir -p "$1"
root=$(cd "$1" && pwd)

mirror() {              # the one this machine already uses
  { sed -nE 's/^URIs: *(http[^ ]+).*/\1/p' /etc/apt/sources.list.d/debian.sources
    sed -nE 's/^deb (\[[^]]*\] )?(http[^ ]+) .*/\2/p' /etc/apt/sources.list; } 2>/dev/null | head -n 1
}

make_root() {
  [ -e "$root/.complete" ] && return
  "$scripts/modern-down.sh" "$root" --wipe     # a half-made one from a call that was broken off
  mkdir -p "$root"
  debootstrap --variant=minbase trixie "$root" "$(mirror)" >"$root.log" 2>&1 ||
    { echo "modern-up: debootstrap failed, see $root.log" >&2; exit 1; }
  # How this machine reaches packages (proxy, certificates, resolver) holds inside, too.
  for path in /etc/resolv.conf /etc/ssl/certs /usr/local/share/ca-certificates /etc/apt/apt.conf.d; do
    [ -e "$path" ] && mkdir -p "$root${path%/*}" && cp -rL --remove-destination "$path" "$root${path%/*}/"
  done
  local wanted; wanted=$(packages)
  in_root sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null' install $wanted >>"$root.log" 2>&1 ||
    { echo "modern-up: packages could not be installed, see $root.log" >&2; exit 1; }
  touch "$root/.complete"
}

packages() { grep -oE '^(slurm|munge|mariadb)[a-z-]*' "$list"; }

in_root() {
  unshare --mount --propagation private sh -c \
    'mount --bind /proc "$0/proc" && mount --bind /sys "$0/sys" && exec chroot "$0" "$@"' "$root" "$@"
}

make_root
cp /etc/hosts "$root/etc/hosts"
install -m 755 "$scripts/box-up.sh" "$scripts/box-down.sh" "$root/usr/local/sbin/"
in_root env PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin SLURM_BOX_PORT="${SLURM_BOX_PORT:-17817}" \
  SLURM_BOX_ENFORCE="${SLURM_BOX_ENFORCE:-associations,limits,qos,safe}" box-up.sh /box
