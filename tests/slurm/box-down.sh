#!/usr/bin/env bash
# Stops the daemons that box-up.sh started in FOLDER, by their noted process ids and no others.
#   box-down.sh FOLDER [--wipe]     --wipe also takes the folder away
set -uo pipefail

box=$(cd "${1:?box-down: say which folder}" 2>/dev/null && pwd) || exit 0    # never up: nothing to stop

# lives NAME PID: the process is there, not merely uncollected, and is that daemon and not a later process.
lives() { grep -qsx "${1%%-*}" "/proc/$2/comm" && grep -qs '^State:[[:space:]]*[RSDTtI]' "/proc/$2/status"; }

# Clients of a daemon stop before it does, so that accounting gets the last word of the controller.
for name in slurmd-box1 slurmd-box2 slurmctld slurmdbd mariadbd munged; do
  pid=$(cat "$box/pids/$name" 2>/dev/null) || continue
  if lives "$name" "$pid"; then
    kill "$pid"
    for _ in $(seq 200); do lives "$name" "$pid" || break; sleep 0.05; done
    ! lives "$name" "$pid" || kill -KILL "$pid"
  fi
  rm -f "$box/pids/$name"
done
[ "${2:-}" != --wipe ] || rm -rf "$box"
