#!/usr/bin/env bash
# Brings up a whole Slurm on this one machine for tests: controller, accounting, two nodes with four pretended
# GPUs each. Called by fixtures.py and, inside its chroot, by modern-up.sh.
#   box-up.sh FOLDER      as root; prints nothing but trouble
# Environment: SLURM_BOX_PORT (five ports from here on), SLURM_BOX_ENFORCE (what accounting enforces).
# A second call keeps what runs and starts what died. Needs the Slurm lines of portal/deploy/packages/test.txt.
set -euo pipefail

[ $# -eq 1 ] || { echo "box-up: say which folder" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "box-up: only root can start Slurm's daemons" >&2; exit 1; }
for tool in slurmctld slurmd slurmdbd sacctmgr munged mariadbd mariadb-install-db setsid setpriv; do
  command -v "$tool" >/dev/null || { echo "box-up: $tool is missing; run 'make setup'" >&2; exit 1; }
done

mkdir -p "$1"
box=$(cd "$1" && pwd)
mkdir -p "$box"/{conf,logs,pids,sock,gpus,ctld,nodes,mysql}
chmod 755 "$box" "$box/sock"
machine=$(hostname -s)
first_port=${SLURM_BOX_PORT:-16817}
enforce=${SLURM_BOX_ENFORCE:-associations,limits,qos,safe}
export SLURM_CONF=$box/conf/slurm.conf

# runs NAME: its noted process lives, is not merely uncollected, and is that daemon and not a later process.
runs() {
  local pid; pid=$(cat "$box/pids/$1" 2>/dev/null) || return 1
  grep -qsx "${1%%-*}" "/proc/$pid/comm" && grep -qs '^State:[[:space:]]*[RSDTtI]' "/proc/$pid/status"
}

# launch NAME COMMAND...: in the background, cut loose from this shell, its process id noted.
launch() {
  local name=$1; shift
  setsid "$@" </dev/null >>"$box/logs/$name.out" 2>&1 &
  echo $! >"$box/pids/$name"
}

# wait_for SECONDS COMMAND...: until the command succeeds. Clients of Slurm can hang, so they get a time limit each.
wait_for() {
  local deadline=$((SECONDS + $1)); shift
  while ! "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "box-up: no luck with: $* (logs in $box/logs)" >&2; exit 1; }
    sleep 0.1
  done
}

start_munge() {
  runs munged && return
  [ -s "$box/conf/munge.key" ] || head -c 128 /dev/urandom >"$box/conf/munge.key"
  install -d -o munge -g munge "$box/munge"
  install -o munge -g munge -m 400 "$box/conf/munge.key" "$box/munge/key"
  chown munge: "$box/sock"
  rm -f "$box"/sock/munge*
  launch munged setpriv --reuid=munge --regid=munge --init-groups munged --foreground --force --key-file="$box/munge/key" \
    --socket="$box/sock/munge" --pid-file="$box/munge/pid" --log-file="$box/munge/log" --seed-file="$box/munge/seed"
  wait_for 10 test -S "$box/sock/munge"
}

database() { timeout 5 mariadb --no-defaults --socket="$box/mysql/socket" "$@"; }

start_database() {
  runs mariadbd && return
  chown mysql: "$box/mysql"
  [ -d "$box/mysql/data" ] || mariadb-install-db --no-defaults --force --user=mysql --datadir="$box/mysql/data" \
    --auth-root-authentication-method=socket --skip-test-db >"$box/logs/mariadb-install.out" 2>&1
  launch mariadbd mariadbd --no-defaults --user=mysql --datadir="$box/mysql/data" --socket="$box/mysql/socket" \
    --pid-file="$box/mysql/pid" --bind-address=127.0.0.1 --port=$((first_port + 4)) \
    --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0
  wait_for 30 database -e 'select 1'
  for host in localhost 127.0.0.1; do
    echo "create user if not exists slurm@'$host' identified by 'box'; grant all on slurm_acct_db.* to slurm@'$host';"
  done | { echo 'create database if not exists slurm_acct_db;'; cat; } | database
}

write_slurmdbd_conf() {
  install -m 600 /dev/stdin "$box/conf/slurmdbd.conf" <<CONF
DbdHost=$machine
DbdAddr=127.0.0.1
DbdPort=$((first_port + 3))
SlurmUser=root
AuthType=auth/munge
AuthInfo=$box/sock/munge
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$((first_port + 4))
StorageLoc=slurm_acct_db
StorageUser=slurm
StoragePass=box
LogFile=$box/logs/slurmdbd.log
PidFile=$box/logs/slurmdbd.pid
CONF
}

write_slurm_conf() {
  cat <<CONF
ClusterName=box
SlurmctldHost=$machine(127.0.0.1)
SlurmctldPort=$first_port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$box/sock/munge
CredType=cred/munge
StateSaveLocation=$box/ctld
SlurmdSpoolDir=$box/nodes/%n
SlurmctldPidFile=$box/logs/slurmctld.pid
SlurmdPidFile=$box/logs/slurmd-%n.pid
SlurmctldLogFile=$box/logs/slurmctld.log
SlurmdLogFile=$box/logs/slurmd-%n.log
# No cgroups, no MPI: only the bookkeeping is under test.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
# Decide fast: a test waits for the scheduler.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# What limits and metering need; allocation/clusters/slurm_check.py asks for the same.
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((first_port + 3))
AccountingStoragePass=$box/sock/munge
AccountingStorageTRES=gres/gpu,gres/gpu:a100
AccountingStorageEnforce=$enforce
PriorityType=priority/multifactor
PriorityDecayHalfLife=0
PriorityUsageResetPeriod=NONE
PriorityCalcPeriod=1
PartitionName=gpu Nodes=box[1-2] Default=YES MaxTime=7-0 State=UP
CONF
  for n in 1 2; do
    echo "NodeName=box$n NodeHostname=$machine NodeAddr=127.0.0.1 Port=$((first_port + n)) SocketsPerBoard=4" \
      "CoresPerSocket=4 ThreadsPerCore=1 RealMemory=16000 Gres=gpu:a100:4"
  done
}

write_gres_conf() {     # each GPU needs a character device; Slurm never opens it
  local n g device
  for n in 1 2; do
    for g in 0 1 2 3; do
      device=$box/gpus/box$n-$g
      [ -e "$device" ] || mknod "$device" c 1 3
      echo "NodeName=box$n Name=gpu Type=a100 File=$device Cores=$((g * 4))-$((g * 4 + 3))"
    done
  done
}

cgroup_plugin() {       # 24.11 wants to be told that there is no cgroup; 22.05 does not know that word
  local major; major=$(slurmctld -V | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
  if [ "$major" -ge 23 ]; then echo disabled; else echo autodetect; fi
}

nodes_ready() { ! timeout 5 sinfo --noheader --Node --format=%t | grep -qvE '^(idle|mix|alloc|resv|plnd)$'; }

start_slurm() {
  if ! runs slurmdbd; then
    launch slurmdbd slurmdbd -D
    wait_for 30 timeout 5 sacctmgr --noheader list cluster
  fi
  sacctmgr --noheader --parsable2 list cluster format=cluster | grep -qx box || sacctmgr -i add cluster box >/dev/null
  if ! runs slurmctld; then
    launch slurmctld slurmctld -D -i
    wait_for 30 timeout 5 scontrol ping
  fi
  for n in box1 box2; do
    runs "slurmd-$n" || launch "slurmd-$n" slurmd -D -N "$n"
  done
  wait_for 30 nodes_ready
}

start_munge
start_database
write_slurmdbd_conf
write_slurm_conf >"$box/conf/slurm.conf"
write_gres_conf >"$box/conf/gres.conf"
echo "CgroupPlugin=$(cgroup_plugin)" >"$box/conf/cgroup.conf"
start_slurm
