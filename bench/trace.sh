#!/bin/bash
# Says what recording costs a program that starts: the same start on fresh mounts, recorded and not, in turn, of an image
# that is complete and of one that arrives meanwhile. Called by ./dev bench trace, which builds first. The last line of
# its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench trace [--rounds N] [--modes MODE[,MODE...]] [--images complete|arriving|complete,arriving] [--rate RATE]
  --rounds N     starts of each kind; figures are medians (default: 25)
  --modes MODES  ways to mount (default: hybrid,overlay,fuse)
  --images KINDS what has arrived when the program starts (default: complete,arriving)
  --rate RATE    at which an image arrives, through a relay on loopback, as in 100mbit (default)
A start of a complete image is the program's time alone. One of an arriving image begins with its mount, on a node that
has nothing of it; the whole image arrives before the next start, which at 100mbit takes 8 s. The hub learns nothing meanwhile: its
order is the same each time, and it has nothing else to do. The hub must have a trace of
each start that was to be recorded, and of no other. Each target is told as met or MISSED; the exit code is 1 if one is missed.
TEXT
}
fail() { echo "bench trace: $*" >&2; exit 1; }

rounds=25 modes=hybrid,overlay,fuse kinds=complete,arriving rate=100mbit
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift ;;
    --modes) modes=${2:?--modes needs names}; shift ;;
    --images) kinds=${2:?--images needs complete or arriving}; shift ;;
    --rate) rate=${2:?--rate needs a rate}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench trace: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "--rounds is a number"
[[ $kinds =~ ^(complete|arriving)(,(complete|arriving))?$ ]] || fail "--images is complete, arriving or both"
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
program() { chroot "$work/mount" python3 -B -c 'import json, http.server, urllib.request, sqlite3, asyncio, unittest, xml.dom.minidom'; }

start_complete() {  # start_complete MODE FIGURE
  local since now
  mount_image "$1"
  take_us since
  program
  take_us now
  record "$2" $((now - since))
  on_node umount traced
  sleep 0.2  # to keep and to send a trace is not the next start's work
}

start_arriving() {  # start_arriving MODE FIGURE
  local since now mount
  sync -f "$work"  # what the last one has left to write
  take_us since
  mount_image "$1"
  program
  take_us now
  mount=$("$firstlight" status --node --json --socket "$work/node.sock" | jq '.mounts[0]')
  [[ $(jq .complete <<<"$mount") == false ]] || fail "the image was complete before the program had started: choose a lower --rate"
  record "$2" $((now - since))
  record "$2-waits" "$(jq .waits <<<"$mount")"
  on_node umount traced
  on_node wait python3:1
  forget_image
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

tell() {  # tell KIND MODE; adds to $result
  local on off ratio waits=''
  on=$(median "$1-$2-on") off=$(median "$1-$2-off")
  ratio=$(awk -v on="$on" -v off="$off" 'BEGIN { printf "%.3f", on / off }')
  [[ $1 == complete ]] || waits=", reads that waited $(median "$1-$2-on-waits") and $(median "$1-$2-off-waits")"
  echo "$1, $2: a recorded start takes $((on / 1000)) ms, one that is not $((off / 1000)) ms$waits: ratio $ratio"
  compare "$1, $2: a recorded start of one that is not" "$ratio" '<=' 1.02
  result=$(jq -c --arg kind "$1" --arg mode "$2" --argjson on "$on" --argjson off "$off" --argjson ratio "$ratio" \
    '.[$kind][$mode] = {recorded_us: $on, plain_us: $off, ratio: $ratio}' <<<"$result")
}

layout=$("$source_tree/test/images/make-image" python3)
start_loopback_hub learning.gather_time=24h
start_relay
start_loopback_node
"$firstlight" image add --quiet --socket "$work/hub.sock" "oci:$layout" --name python3:1
on_node pull python3:1
result='{}'
for kind in ${kinds//,/ }; do
  if [[ $kind == arriving ]]; then forget_image; pass_at_most "$bytes_per_second"; fi
  for mode in ${modes//,/ }; do
    measure "$kind" "$mode"
    tell "$kind" "$mode"
  done
done
conclude "$result"
