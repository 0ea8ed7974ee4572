#!/bin/bash
# Says what recording costs a program that starts: the same start on fresh mounts, recorded and not, in turn, of an image
# that is complete, of one that arrives meanwhile, and of a program that writes files. Called by ./dev bench trace, which builds first. The last line of
# its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench trace [--rounds N] [--modes MODE[,MODE...]] [--starts KIND[,KIND...]] [--rate RATE]
  --rounds N     pairs of starts of each kind, at least 5 (default: 25)
  --modes MODES  ways to mount (default: hybrid,overlay,fuse)
  --starts KINDS which starts (default: complete,arriving,writing)
                 complete: python3 imports modules; all of its image is there
                 arriving: the same, and the image arrives meanwhile
                 writing:  initdb of postgres makes a thousand files on the mount; all of its image is there
  --rate RATE    at which an image arrives, through a relay on loopback, as in 100mbit (default)
A start of a complete image is the program's time alone. One of an arriving image begins with its mount, on a node that
has nothing of it; the whole image arrives before the next start, which at 100mbit takes 8 s. The hub learns nothing meanwhile: its
order is the same each time, and it has nothing else to do. The hub must have a trace of
each start that was to be recorded, and of no other.

Each round is a pair: one start that is recorded and one that is not, one right after the other, in turns which goes first. What
counts is the ratio in each pair, of the time that passes and of the CPU that the program takes (getrusage). Of the ratios the median
and the quartiles are told. A target is met only if the median of all such pairs, those that were not measured too, lies within it with 95 %
certainty: judged is the least of the ratios above which that median lies with at most 5 % probability (of the binomial distribution, as
in the sign test; no shape of the noise is assumed). So few or noisy pairs do not meet a target by luck; more rounds narrow it. The
node's own CPU from before the mount until the trace has been taken is told beside it; /proc counts that in steps of 10 ms.
Each target is told as met or MISSED; the exit code is 1 if one is missed.
TEXT
}
fail() { echo "bench trace: $*" >&2; exit 1; }

rounds=25 modes=hybrid,overlay,fuse kinds=complete,arriving,writing rate=100mbit
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift ;;
    --modes) modes=${2:?--modes needs names}; shift ;;
    --starts) kinds=${2:?--starts needs complete, arriving or writing}; shift ;;
    --rate) rate=${2:?--rate needs a rate}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench trace: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
if [[ ! $rounds =~ ^[1-9][0-9]*$ ]] || ((rounds < 5)); then fail "--rounds is a number from 5 on"; fi
kind='complete|arriving|writing'
[[ $kinds =~ ^($kind)(,($kind))*$ ]] || fail "--starts is one or several of complete, arriving, writing"
[[ $rate =~ ^[1-9][0-9]*[mg]bit$ ]] || fail "--rate is written as in 100mbit or 1gbit"
case $rate in
  *mbit) bytes_per_second=$((${rate%mbit} * 125000)) ;;
  *gbit) bytes_per_second=$((${rate%gbit} * 125000000)) ;;
esac
((EUID == 0)) || fail "mounting needs root"
. "$here/cluster.sh"
. "$here/targets.sh"

on_node() { "$firstlight" "$@" --quiet --socket "$work/node.sock"; }
mount_image() { on_node mount --read-only --mount-mode "$1" --name traced python3:1 "$work/mount"; }  # mount_image MODE
imports() { chroot "$work/mount" python3 -B -c 'import json, http.server, urllib.request, sqlite3, asyncio, unittest, xml.dom.minidom'; }
makes_database() { chroot --userspec=postgres:postgres "$work/mount" /usr/lib/postgresql/15/bin/initdb --no-sync --auth=trust -D /tmp/data >"$work/initdb.log" 2>&1; }

# CPU, in ms: of this shell's children that have ended, and of the node. Without a subshell, which would be one of them.
take_children_ms() {  # take_children_ms VARIABLE
  local user system minutes seconds sum=0 one
  times >"$work/times"
  { read -r one; read -r user system; } <"$work/times"
  for one in "$user" "$system"; do
    IFS=m read -r minutes seconds <<<"${one%s}"
    sum=$((sum + minutes * 60000 + 10#${seconds/./}))
  done
  printf -v "$1" %s "$sum"
}
take_node_ms() {  # take_node_ms VARIABLE
  local stat fields
  read -r stat <"/proc/$node/stat"
  read -r -a fields <<<"${stat##*) }"
  printf -v "$1" %s $(((fields[11] + fields[12]) * 1000 / ticks_per_second))
}
ticks_per_second=$(getconf CLK_TCK)

# Runs a program in the mount: its CPU is recorded.
run_program() {  # run_program PROGRAM FIGURE
  local before after
  take_children_ms before
  "$1" || return
  take_children_ms after
  record "$2-cpu" $((after - before))
}

start_complete() {  # start_complete MODE FIGURE
  local since now before after
  take_node_ms before
  mount_image "$1"
  take_us since
  run_program imports "$2"
  take_us now
  record "$2" $((now - since))
  on_node umount traced
  sleep 0.2  # to keep and to send a trace is not the next start's work
  take_node_ms after
  record "$2-node" $((after - before))
}

start_arriving() {  # start_arriving MODE FIGURE
  local since now mount before after
  sync -f "$work"  # what the last one has left to write
  take_node_ms before
  take_us since
  mount_image "$1"
  run_program imports "$2"
  take_us now
  mount=$("$firstlight" status --node --json --socket "$work/node.sock" | jq '.mounts[0]')
  [[ $(jq .complete <<<"$mount") == false ]] || fail "the image was complete before the program had started: choose a lower --rate"
  record "$2" $((now - since))
  record "$2-waits" "$(jq .waits <<<"$mount")"
  on_node umount traced
  on_node wait python3:1
  take_node_ms after
  record "$2-node" $((after - before))
  forget_image
}

# What is mounted on a mount goes before the node ends, which else would leave that mount to its keeper.
end_all() { umount -l "$work/mount/dev" 2>/dev/null || true; end_processes; detach_mounts "$work"; }

turn=0
start_writing() {  # start_writing MODE FIGURE
  local since now before after name=writing$((++turn))  # what was written under a name stays
  sync -f "$work"
  take_node_ms before
  on_node mount --mount-mode "$1" --name "$name" postgres:1 "$work/mount"
  mount --bind /dev "$work/mount/dev"
  take_us since
  run_program makes_database "$2" || { cat "$work/initdb.log" >&2; fail "initdb does not end well"; }
  take_us now
  record "$2" $((now - since))
  umount "$work/mount/dev"
  rm -r "$work/mount/tmp/data"
  on_node umount "$name"
  sleep 0.2
  take_node_ms after
  record "$2-node" $((after - before))
}

# Its delivery may not have ended for the node yet.
evicted() { on_node evict python3:1 2>"$work/evict.log"; }
forget_image() { until_true 60 'evicting the image' evicted; }

start() {  # start KIND MODE on|off
  on_node trace "$3"
  "start_$1" "$2" "$1-$2-$3"
}

# What is compared must have been recorded, and nothing else.
traces_received() { "$firstlight" trace ls --json --socket "$work/hub.sock" | jq .received; }
all_is_sent() { "$firstlight" status --node --json --socket "$work/node.sock" | jq -e '.files_recorded == 0 and .traces_unsent == 0' >/dev/null; }
check_recorded() {  # check_recorded BEFORE WHAT
  local new
  until_true 60 'sending the traces' all_is_sent
  new=$(($(traces_received) - $1))
  ((new == rounds + 1)) || fail "$2: of $((rounds + 1)) starts that were to be recorded, and $rounds that were not, the hub has $new traces"
}

measure() {  # measure KIND MODE
  local round before
  before=$(traces_received)
  start "$1" "$2" on
  rm "$work/figures/$1-$2-on"*  # the first one reads from the disk
  for ((round = 0; round < rounds; round++)); do
    # Neither always follows the other.
    if ((round % 2)); then start "$1" "$2" off; start "$1" "$2" on; else start "$1" "$2" on; start "$1" "$2" off; fi
  done
  check_recorded "$before" "$1, $2"
}

# The ratio in each pair, sorted: {"median", "quartiles", "bound", "pairs"}.
pairs_of() {  # pairs_of RECORDED PLAIN
  paste "$work/figures/$1" "$work/figures/$2" | awk '{ print $1 / ($2 > 0 ? $2 : 1) }' | sort -g | awk '
    { ratio[NR] = $1 }
    END {
      term = sum = exp(-NR * log(2))
      for (k = 1; sum < 0.95 && k < NR; k++) { term *= (NR - k + 1) / k; sum += term }
      printf "{\"median\": %.4f, \"quartiles\": [%.4f, %.4f], \"bound\": %.4f, \"pairs\": %d}\n",
        ratio[int((NR + 1) / 2)], ratio[int((NR + 3) / 4)], ratio[int((3 * NR + 3) / 4)], ratio[k], NR
    }'
}
mean_difference() { paste "$work/figures/$1" "$work/figures/$2" | awk '{ sum += $1 - $2 } END { printf "%.1f", sum / NR }'; }  # RECORDED PLAIN
tell_pairs() { jq -r '"median \(.median), quartiles \(.quartiles[0]) and \(.quartiles[1]), at most \(.bound) with 95 % certainty"' <<<"$1"; }

tell() {  # tell KIND MODE; adds to $result
  local on=$1-$2-on off=$1-$2-off wall cpu node_ms node_more waits=''
  wall=$(pairs_of "$on" "$off") cpu=$(pairs_of "$on-cpu" "$off-cpu")
  node_ms=$(median "$on-node") node_more=$(mean_difference "$on-node" "$off-node")
  [[ $1 != arriving ]] || waits=", reads that waited $(median "$on-waits") and $(median "$off-waits")"
  echo "$1, $2: a recorded start takes $(($(median "$on") / 1000)) ms, one that is not $(($(median "$off") / 1000)) ms$waits"
  echo "  time of a recorded start of one that is not: $(tell_pairs "$wall")"
  echo "  CPU of the program: $(median "$on-cpu") and $(median "$off-cpu") ms; $(tell_pairs "$cpu")"
  echo "  CPU of the node for a recorded start: $node_ms ms, on average $node_more ms more than for one that is not"
  compare "$1, $2: time of a recorded start of one that is not" "$(jq .bound <<<"$wall")" '<=' 1.02
  compare "$1, $2: CPU of the program of a recorded start of one that is not" "$(jq .bound <<<"$cpu")" '<=' 1.02
  result=$(jq -c --arg kind "$1" --arg mode "$2" --argjson on "$(median "$on")" --argjson off "$(median "$off")" --argjson wall "$wall" \
    --argjson cpu "$cpu" --argjson on_cpu "$(median "$on-cpu")" --argjson off_cpu "$(median "$off-cpu")" --argjson node "$node_ms" --argjson more "$node_more" \
    '.[$kind][$mode] = {recorded_us: $on, plain_us: $off, time: $wall, cpu: ($cpu + {recorded_ms: $on_cpu, plain_ms: $off_cpu}),
      node: {recorded_ms: $node, more_ms: $more}}' <<<"$result")
}

add_image() {  # add_image IMAGE
  local layout
  layout=$("$source_tree/test/images/make-image" "$1")
  "$firstlight" image add --quiet --socket "$work/hub.sock" "oci:$layout" --name "$1:1"
  on_node pull "$1:1"
}

start_loopback_hub learning.gather_time=24h
start_relay
start_loopback_node
[[ ,$kinds, != *,writing,* ]] || add_image postgres
[[ ,$kinds, != *,complete,* && ,$kinds, != *,arriving,* ]] || add_image python3
result='{}'
for kind in ${kinds//,/ }; do
  pass_at_most 0
  if [[ $kind == arriving ]]; then forget_image; pass_at_most "$bytes_per_second"; fi
  for mode in ${modes//,/ }; do
    measure "$kind" "$mode"
    tell "$kind" "$mode"
  done
  if [[ $kind == arriving ]]; then pass_at_most 0; on_node pull python3:1; fi
done
conclude "$result"
