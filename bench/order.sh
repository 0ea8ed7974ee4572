#!/bin/bash
# Says how good orders are: records starts of real images block by block, then replays each against orders that were
# learned from the others (firstlight trace score). Called by ./dev bench order, which builds first. The last line of
# its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench order [--images NAME[,NAME...]] [--starts N] [--rtt MS] [--rate BYTES] [--relative old|before] [--packed]
  --images NAMES  of test/images/make-image (default: redis,nginx,python3,postgres,nodejs,openjdk), and
                  postgres-initdb: the same image making its data folder first
  --starts N      recorded of each; a traced order is learned from three others (default: 4)
  --rtt MS        round trip of the modelled link (default: 100)
  --rate BYTES    bytes a second of it (default: 12500000)
  --relative WHAT also orders of images that have only a relative's traces: the same of the Debian before (old), or
                  of this one without its updates (before)
  --packed        also how many bytes travel until a start has all it reads, beside zstd -19 of just that
Each target is told as met or MISSED, those of a relative's traces and of bytes only with their options; the exit code is
1 if one is missed. Of fewer than six images or four starts (a traced order is one of three) the verdict is told to be
PARTIAL. postgres and postgres-initdb are one image: what starts of both teach would mix, so only one of them can be named.
TEXT
}
fail() { echo "bench order: $*" >&2; exit 1; }

images=redis,nginx,python3,postgres,nodejs,openjdk starts=4 rtt=100 rate=12500000 relative='' packed=''
while (($#)); do
  case $1 in
    --images) images=${2:?--images needs names}; shift ;;
    --starts) starts=${2:?--starts needs a number}; shift ;;
    --rtt) rtt=${2:?--rtt needs milliseconds}; shift ;;
    --rate) rate=${2:?--rate needs a number}; shift ;;
    --relative) relative=${2:?--relative needs old or before}; shift ;;
    --packed) packed=yes ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench order: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
if [[ ! $starts =~ ^[1-9][0-9]*$ ]] || ((starts < 2)); then fail "--starts is a number from 2 on: an order is scored by starts that it was not learned from"; fi
[[ $rtt =~ ^[0-9]+$ ]] || fail "--rtt is a number of milliseconds"
[[ $rate =~ ^[1-9][0-9]*$ ]] || fail "--rate is a number of bytes a second"
[[ $relative =~ ^(old|before)?$ ]] || fail "--relative is old or before"
[[ ,$images, != *,postgres,* || ,$images, != *,postgres-initdb,* ]] || fail "postgres and postgres-initdb are one image: name one of them"
((EUID == 0)) || fail "mounting needs root"
. "$here/cluster.sh"
. "$here/targets.sh"

# What a start of an image is, its own entrypoint wherever it has one: the words behind the image, and for a server the
# file that tells that it is ready.
start_of() {  # start_of REFERENCE: sets $words, $ready and $entrypoint
  local version=15
  if [[ $1 == *:0 && $relative == old ]]; then version=13; fi
  ready='' words=() entrypoint=()
  case ${1%:*} in
    redis) words=(--port 0 --unixsocket /tmp/ready --save '' --dir /tmp) ready=tmp/ready ;;
    nginx) words=(-g 'daemon off;') ready=var/lib/nginx/body ;;
    postgres)
      words=(-D "/var/lib/postgresql/$version/main" -c "config_file=/etc/postgresql/$version/main/postgresql.conf" -c unix_socket_directories=/tmp)
      ready=var/lib/postgresql/$version/main/postmaster.pid ;;
    postgres-initdb)
      local programs=/usr/lib/postgresql/$version/bin
      entrypoint=(--entrypoint sh)
      words=(-c "$programs/initdb -D /tmp/data && exec $programs/postgres -D /tmp/data -c unix_socket_directories=/tmp")
      ready=tmp/data/postmaster.pid ;;
    python3) words=(python3 -c 'import json, http.server, ssl') ;;
    nodejs) words=(node -e 'require("http").createServer()') ;;
    openjdk) words=(-version) ;;
    *) fail "there is no start for $1" ;;
  esac
}
is_ready() { local file; for file in $1; do [[ -e $file ]] && { [[ $file != *postmaster* ]] || grep -q ready "$file"; } && return; done; return 1; }

turn=0
record_start() {  # record_start REFERENCE
  local pid name=start$((++turn))  # what was written under a name stays
  start_of "$1"
  "$firstlight" trace record --no-tty --quiet --socket "$work/node.sock" --network none --name "$name" "${entrypoint[@]}" "$1" -- "${words[@]}" >"$work/start.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  if [[ -n $ready ]]; then
    until_true 60 "starting $1" is_ready "$work/run/mounts/$name/$ready"
    # The first process of a container ignores signals that it has not asked for yet.
    ended() { alive "$pid" || return 0; kill -TERM "$pid"; return 1; }
    until_true 60 "ending $1" ended
    wait "$pid" || true
  else
    wait "$pid" || { cat "$work/start.log" >&2; fail "$1 does not start"; }
  fi
  unset 'pids[-1]'
}
record_starts() {  # record_starts REFERENCE: until the hub has them all
  local n before
  before=$(traces "$1")
  for ((n = 0; n < starts; n++)); do record_start "$1"; done
  enough() { (($(traces "$1") >= before + starts)); }
  until_true 60 "collecting the traces of $1" enough "$1"
}
traces() { "$firstlight" trace show --json --socket "$work/hub.sock" "$1" | jq .image.traces; }

take_in() {  # take_in IMAGE
  local layout
  layout=$("$source_tree/test/images/make-image" "${1/-initdb/}")
  "$firstlight" image add --quiet --socket "$work/hub.sock" "oci:$layout" --name "$2"
}

score() {  # score REFERENCE ORDER...: a JSON object with the medians of each order
  local reference=$1 orders=(); shift
  for order; do orders+=(--order "$order"); done
  "$firstlight" trace score --json --socket "$work/hub.sock" --rtt "$rtt" --rate "$rate" --traces 3 "${orders[@]}" "$reference" |
    jq -c 'def median: sort | .[(length - 1) / 2 | floor];
      [.rows | group_by(.order)[] | {key: .[0].order, value: {stall_ms: ([.[].stall_us] | median / 1000),
        misses: ([.[].misses] | median), touched: ([.[].touched_bytes] | median), sent: ([.[].sent_bytes] | median)}}] | from_entries'
}
score_packed() {  # score_packed REFERENCE: a JSON object with medians of the traced order; packing takes seconds a start
  "$firstlight" trace score --json --socket "$work/hub.sock" --traces 3 --order traced --packed "$1" |
    jq -c 'def median: sort | .[(length - 1) / 2 | floor];
      {packed_touched: ([.rows[].packed_touched_bytes] | median), packed_sent: ([.rows[].packed_sent_bytes] | median)}'
}

start_cluster
echo "link of $rtt ms, $rate bytes/s; $starts starts of each image; stall time in ms, medians"
printf '%-10s %9s %9s %9s %9s | %9s %9s | %9s %9s\n' image oracle traced static layers traced/or static/la touched sent
result='{}'
for image in ${images//,/ }; do
  take_in "$image" "$image:1"
  "$firstlight" pull --quiet --socket "$work/node.sock" "$image:1"
  record_starts "$image:1"
  scores=$(score "$image:1" traced static image oracle)
  jq -r --arg name "$image" '[$name, .oracle.stall_ms, .traced.stall_ms, .static.stall_ms, .image.stall_ms,
      (.traced.stall_ms / ([.oracle.stall_ms, 0.001] | max)), (.static.stall_ms / ([.image.stall_ms, 0.001] | max)), (.traced.touched / 1e6), (.traced.sent / 1e6)] | @tsv' <<<"$scores" |
    awk -F '\t' '{ printf "%-10s %9.1f %9.1f %9.1f %9.1f | %9.2f %9.2f | %6.1f MB %6.1f MB\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
  if [[ -n $packed ]]; then
    bytes=$(score_packed "$image:1")
    jq -r '[.packed_sent / 1e6, .packed_touched / 1e6, .packed_sent / .packed_touched] | @tsv' <<<"$bytes" |
      awk -F '\t' '{ printf "%-10s %6.2f MB travel until it has all it reads; that alone is %.2f MB as one zstd -19 frame: %.2f\n", "", $1, $2, $3 }'
    scores=$(jq -c --argjson bytes "$bytes" '.traced += $bytes' <<<"$scores")
  fi
  result=$(jq -c --arg name "$image" --argjson scores "$scores" '. + {($name): $scores}' <<<"$result")
done
if [[ -n $relative ]]; then
  echo "with the traces of $relative images only: stall time in ms, and as a share of the oracle's"
  for image in ${images//,/ }; do
    take_in "$image-$relative" "$image:0"
    "$firstlight" pull --quiet --socket "$work/node.sock" "$image:0"
    record_starts "$image:0"
    scores=$(score "$image:1" relative oracle)
    jq -r --arg name "$image" '[$name, .relative.stall_ms, .oracle.stall_ms, (.relative.stall_ms / ([.oracle.stall_ms, 0.001] | max))] | @tsv' <<<"$scores" |
      awk -F '\t' '{ printf "%-10s %9.1f of %9.1f: %6.2f\n", $1, $2, $3, $4 }'
    result=$(jq -c --arg name "$image" --argjson scores "$scores" '.[$name].relative = $scores.relative' <<<"$result")
  done
fi
compare_all '
  def share($part; $whole): $part.stall_ms / ([$whole.stall_ms, 0.001] | max);
  to_entries[] | .key as $image | .value |
  ["\($image), stall: traced of oracle", share(.traced; .oracle), "<=", 1.10],
  ["\($image), stall: guess of layer order", share(.static; .image), "<=", 0.50],
  (select(.relative) | ["\($image), stall: relative of oracle", share(.relative; .oracle), "<=", 1.50]),
  (.traced | select(.packed_sent) |
    ["\($image), bytes until ready of zstd -19", .packed_sent / .packed_touched, "<=", 1.15],
    (({redis: 4, "postgres-initdb": 9}[$image] // empty) as $most |
      ["\($image), bytes until ready", .packed_sent / 1e6, "<", $most, "MB"]))' <<<"$result"
measured=$(jq length <<<"$result")
partial=false
if ((measured < 6 || starts < 4)); then
  partial=true
  echo "PARTIAL: $measured images and $starts starts of each; a verdict takes at least 6 and 4"
fi
result=$(jq -c --argjson partial "$partial" '{partial: $partial, images: .}' <<<"$result")
conclude "$result"
