#!/usr/bin/env bash
# Stops and empties the box of modern-up.sh; the chroot stays for the next time unless --wipe is given.
#   modern-down.sh FOLDER [--wipe]
set -uo pipefail

root=$(cd "${1:?modern-down: say which folder}" 2>/dev/null && pwd) || exit 0
"$(dirname "$0")/box-down.sh" "$root/box" --wipe     # process ids are the same outside of the chroot
[ "${2:-}" = --wipe ] || exit 0
grep -q " $root/" /proc/mounts && { echo "modern-down: something is mounted in $root, not removed" >&2; exit 1; }
rm -rf "$root" "$root.log"
