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
usage: ./dev bench order [--images NAME[,NAME...]] [--starts N] [--rtt MS] [--rate BYTES] [--relative]
  --images NAMES  of test/images/make-image (default: redis,nginx,python3,postgres,nodejs,openjdk)
  --starts N      recorded of each; a traced order is learned from three others (default: 4)
  --rtt MS        round trip of the modelled link (default: 100)
  --rate BYTES    bytes a second of it (default: 12500000)
  --relative      also orders of images that have only a relative's traces: the same of the Debian before
TEXT
}
fail() { echo "bench order: $*" >&2; exit 1; }

images=redis,nginx,python3,postgres,nodejs,openjdk starts=4 rtt=100 rate=12500000 relative=''
while (($#)); do
  case $1 in
    --images) images=${2:?--images needs names}; shift ;;
    --starts) starts=${2:?--starts needs a number}; shift ;;
    --rtt) rtt=${2:?--rtt needs milliseconds}; shift ;;
    --rate) rate=${2:?--rate needs a number}; shift ;;
    --relative) relative=yes ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench order: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((EUID == 0)) || fail "mounting needs root"
. "$here/cluster.sh"

# What a start of an image does until it is ready for its users.
start_of() {  # start_of IMAGE
  case ${1%-old} in
    redis) echo "redis-server --save '' --port 0 --unixsocket /tmp/s --dir /tmp --daemonize yes >/dev/null
                 until redis-cli -s /tmp/s ping 2>/dev/null | grep -q PONG; do :; done; redis-cli -s /tmp/s shutdown nosave" ;;
    nginx) echo "nginx -t 2>/dev/null; nginx; until [ -s /run/nginx.pid ]; do :; done; nginx -s quit" ;;
    python3) echo "exec python3 -c 'import json, http.server, urllib.request, ssl, sqlite3, asyncio; print(json.dumps(1))'" ;;
    postgres) echo "b=\$(echo /usr/lib/postgresql/*/bin); su postgres -c \"\$b/initdb -D /tmp/d >/dev/null &&
                 \$b/pg_ctl -D /tmp/d -w -o '-c listen_addresses= -k /tmp' start >/dev/null && \$b/psql -h /tmp -tAc 'select 1' postgres >/dev/null &&
                 \$b/pg_ctl -D /tmp/d -w stop >/dev/null\"" ;;
    nodejs) echo "exec node -e 'require(\"http\").createServer().listen(0, function () { require(\"https\"); this.close() })'" ;;
    openjdk) echo "printf 'class H { public static void main(String[] a) { } }' >/dev/null; exec java -Xshare:auto -version 2>/dev/null" ;;
    *) fail "there is no start for $1" ;;
  esac
}

record_starts() {  # record_starts IMAGE: until the hub has them all
  local n before
  before=$(traces "$1")
  for ((n = 0; n < starts; n++)); do
    "$firstlight" trace record --no-tty --quiet --socket "$work/node.sock" --user root --entrypoint '' "$1" -- \
      /bin/sh -c "$(start_of "$1")" >"$work/start.log" 2>&1 || { cat "$work/start.log" >&2; fail "$1 does not start"; }
  done
  enough() { (($(traces "$1") >= before + starts)); }
  until_true 60 "collecting the traces of $1" enough "$1"
}
traces() { "$firstlight" trace show --json --socket "$work/hub.sock" "$1" | jq .image.traces; }

take_in() {  # take_in IMAGE
  local layout
  layout=$("$source_tree/test/images/make-image" "$1")
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
      (.traced.stall_ms / .oracle.stall_ms), (.static.stall_ms / .image.stall_ms), (.traced.touched / 1e6), (.traced.sent / 1e6)] | @tsv' <<<"$scores" |
    awk -F '\t' '{ printf "%-10s %9.1f %9.1f %9.1f %9.1f | %9.2f %9.2f | %6.1f MB %6.1f MB\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
  result=$(jq -c --arg name "$image" --argjson scores "$scores" '. + {($name): $scores}' <<<"$result")
done
if [[ -n $relative ]]; then
  echo "with the traces of the same image of the Debian before only: stall time in ms, and as a share of the oracle's"
  for image in ${images//,/ }; do
    take_in "$image-old" "$image:0"
    "$firstlight" pull --quiet --socket "$work/node.sock" "$image:0"
    record_starts "$image:0"
    scores=$(score "$image:1" relative oracle)
    jq -r --arg name "$image" '[$name, .relative.stall_ms, .oracle.stall_ms, (.relative.stall_ms / .oracle.stall_ms)] | @tsv' <<<"$scores" |
      awk -F '\t' '{ printf "%-10s %9.1f of %9.1f: %6.2f\n", $1, $2, $3, $4 }'
    result=$(jq -c --arg name "$image" --argjson scores "$scores" '.[$name].relative = $scores.relative' <<<"$result")
  done
fi
echo "$result"
