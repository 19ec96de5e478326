#!/usr/bin/env bash
# Stops the daemons that box-up.sh started in FOLDER, by their noted process ids and no others.
#   box-down.sh FOLDER [--wipe]     --wipe also takes the folder away
set -uo pipefail

box=$(cd "${1:?box-down: say which folder}" 2>/dev/null && pwd) || exit 0    # never up: nothing to stop

# A dead process that nobody has collected yet is gone all the same.
gone() { ! grep -qs '^State:[[:space:]]*[RSDTtI]' "/proc/$1/status"; }

# Clients of a daemon stop before it does, so that accounting gets the last word of the controller.
for name in slurmd-box1 slurmd-box2 slurmctld slurmdbd mariadbd munged; do
  pid=$(cat "$box/pids/$name" 2>/dev/null) || continue
  if kill "$pid" 2>/dev/null; then
    for _ in $(seq 200); do gone "$pid" && break; sleep 0.05; done
    gone "$pid" || kill -KILL "$pid" 2>/dev/null
  fi
  rm -f "$box/pids/$name"
done
[ "${2:-}" != --wipe ] || rm -rf "$box"
