#!/bin/bash
# Says what recording costs a program that starts: the same start on fresh mounts of a complete image, recorded and not,
# in turn. Called by ./dev bench trace, which builds first. The last line of its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench trace [--rounds N] [--modes MODE[,MODE...]]
  --rounds N     starts of each kind; figures are medians (default: 25)
  --modes MODES  ways to mount (default: hybrid,overlay)
TEXT
}
fail() { echo "bench trace: $*" >&2; exit 1; }

rounds=25 modes=hybrid,overlay
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift ;;
    --modes) modes=${2:?--modes needs names}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench trace: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((EUID == 0)) || fail "mounting needs root"
. "$here/cluster.sh"

now_us() { local now=$EPOCHREALTIME; echo "${now/./}"; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# One start on a fresh mount; its microseconds go to a file.
start() {  # start MODE on|off
  "$firstlight" trace "$2" --quiet --socket "$work/node.sock"
  "$firstlight" mount --quiet --read-only --socket "$work/node.sock" --mount-mode "$1" --name traced python3:1 "$work/mount"
  local since
  since=$(now_us)
  chroot "$work/mount" python3 -B -c 'import json, http.server, urllib.request, sqlite3, asyncio, unittest, xml.dom.minidom'
  echo $(($(now_us) - since)) >>"$work/$1-$2"
  "$firstlight" umount --quiet --socket "$work/node.sock" traced
}

start_cluster
layout=$("$source_tree/test/images/make-image" python3)
"$firstlight" image add --quiet --socket "$work/hub.sock" "oci:$layout" --name python3:1
"$firstlight" pull --quiet --socket "$work/node.sock" python3:1
result='{}'
for mode in ${modes//,/ }; do
  start "$mode" off
  rm "$work/$mode-off"  # the first one reads from the disk
  for ((round = 0; round < rounds; round++)); do
    start "$mode" on
    start "$mode" off
  done
  on=$(median "$work/$mode-on") off=$(median "$work/$mode-off")
  ratio=$(awk -v on="$on" -v off="$off" 'BEGIN { printf "%.3f", on / off }')
  echo "$mode: a recorded start takes $((on / 1000)) ms, one that is not $((off / 1000)) ms: ratio $ratio (target: at most 1.02)"
  result=$(jq -c --arg mode "$mode" --argjson on "$on" --argjson off "$off" --argjson ratio "$ratio" \
    '. + {($mode): {recorded_us: $on, plain_us: $off, ratio: $ratio}}' <<<"$result")
done
echo "$result"
