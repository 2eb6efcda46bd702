#!/usr/bin/env bash
# A Slurm of one node for test_slurm.py: says "ready", and ends when its standard input does.
#
# Needs root and Debian's slurmctld, slurmd, slurm-client, munge and iproute2; installs nothing. Mounts, network and
# processes are its own: nothing listens but on its loopback, the machine's /etc/slurm and /run stay as they are, and no
# process and no file outlives it.
set -euo pipefail

if [ "${1:-}" != inside ]; then
    exec unshare --mount --net --pid --fork --mount-proc --kill-child "$0" inside
fi

node=$(hostname -s)
ip link set lo up
# With 127.0.0.1 alone no name resolves here (AI_ADDRCONFIG).
ip address add 127.0.1.1/8 dev lo
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/slurm
mkdir -p /run/munge /run/slurm/state /run/slurm/spool
printf '127.0.0.1 localhost %s\n' "$node" > /run/hosts
mount --bind /run/hosts /etc/hosts

# Slurm's defaults, but: all by root, on loopback, below /run; memory is counted every second, without cgroups.
cat > /etc/slurm/slurm.conf <<END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=/run/slurm/state
SlurmdSpoolDir=/run/slurm/spool
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.pid
SlurmctldLogFile=/run/slurm/slurmctld.log
SlurmdLogFile=/run/slurm/slurmd.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000
PartitionName=main Nodes=ALL Default=YES MaxTime=3-00:00:00
END

head -c 1024 /dev/urandom > /run/munge/key
chmod 400 /run/munge/key
munged --key-file=/run/munge/key --seed-file=/run/munge/seed --log-file=/run/munge/log
slurmctld
slurmd
for _ in $(seq 150); do
    if timeout 5 sinfo --noheader --format %T 2> /dev/null | grep -q idle; then
        echo ready
        cat > /dev/null
        exit
    fi
    sleep 0.2
done
tail -n 20 /run/slurm/*.log >&2
exit 1
