#!/bin/bash
# Starts containers of real images with containerd over a long link: from the pull until the program is ready, by
# containerd's own overlayfs snapshotter from a registry, and by a node of Firstlight from its hub.
# Called by ./dev bench containers, which builds first. The last line of its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench containers [--images NAME[,NAME...]] [--rtt MS[,MS...]] [--rate RATE] [--runs N] [--link COMMAND]
  --images NAMES of test/images/make-image (default: redis,nginx,postgres,python3,nodejs,openjdk); v1 is NAME-before (Debian
                 without its updates), v2 is NAME
  --rtt MS       round trips of the link in milliseconds, each measured by itself (default: 0.1,50,150,300)
  --rate RATE    of the link, as in 100mbit (default)
  --runs N       repeats of each; figures are medians (default: 1)
  --link COMMAND makes the link where the kernel has no netem (default: $FIRSTLIGHT_LINK); see ./dev bench deploy --help
What is measured of each image, everything fresh: v1 by overlayfs, then v2 there (update); v1 on the first node of a
new hub, v2 there (update); and v1 on a second node, after the hub has learned from the first one's start. Registry and hub are
on the far side of the same link. Bytes are those that the node's network interface received. v1 and v2 share no
layer, since Debian's own updates are in the lowest: overlayfs downloads all of v2, which it would not of an image that
was only rebuilt above the same base. A case that fails in any run is told in its row, and the others go on. The
target of each case is to be ready sooner than overlayfs, told as met or MISSED; the exit code is 1 if a case fails or
a target is missed.
TEXT
}

fail() { echo "bench containers: $*" >&2; exit 1; }

images=redis,nginx,postgres,python3,nodejs,openjdk rtts=0.1,50,150,300 rate=100mbit runs=1 link=${FIRSTLIGHT_LINK:-}
while (($#)); do
  case $1 in
    --images) images=${2:?--images needs names}; shift ;;
    --rtt) rtts=${2:?--rtt needs milliseconds}; shift ;;
    --rate) rate=${2:?--rate needs a rate}; shift ;;
    --runs) runs=${2:?--runs needs a number}; shift ;;
    --link) link=${2:?--link needs a command}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench containers: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[[ $rtts =~ ^[0-9]+(\.[0-9]+)?(,[0-9]+(\.[0-9]+)?)*$ ]] || fail "--rtt is written as in 50 or 0.1,50"
[[ $runs =~ ^[1-9][0-9]*$ ]] || fail "--runs is a number"
((EUID == 0)) || fail "namespaces and mounts need root"
. "$here/link.sh"
. "$here/targets.sh"

start_limit_s=180   # from a pull until its program is ready
learn_limit_s=20    # until a start that was recorded has reached the hub
command_limit_s=240 # for one command that moves an image

# ---- starts: what runs from an image, and when it is ready ---------------------------------------------------

start_of() {  # start_of IMAGE: sets $words and $port (0: it prints and ends)
  port=0 words=()
  case $1 in
    redis) words=(redis-server --port 6379 --bind 127.0.0.1 --save '' --dir /tmp) port=6379 ;;
    nginx) words=(nginx -g 'daemon off;') port=80 ;;
    postgres)
      words=(/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf -c unix_socket_directories=/tmp)
      port=5432 ;;
    python3) words=(python3 -c 'import json, http.server, ssl, sqlite3; print("ready")') ;;
    nodejs) words=(node -e 'require("http").createServer(); require("crypto"); console.log("ready")') ;;
    openjdk) words=(java -version) ;;
    *) fail "there is no start for $1" ;;
  esac
}

# Runs on the node's side, where the container has its ports: its network is the node's. Waits without a process of its
# own, which would take from what is measured.
answers() {  # answers PID PORT SECONDS REQUEST PATTERN: until a line that begins so comes back; no request: until it is open
  local pid=$1 limit=$((SECONDS + $3)) line
  shift
  exec 7<> <(:)
  while ((SECONDS < limit)); do
    { read -r line <"/proc/$pid/stat"; } 2>/dev/null && [[ $line != *') Z '* ]] || return 1
    if { exec 9<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; then
      [[ -n $3 ]] || return 0
      line=''
      printf '%b' "$3" >&9 && read -r -t 5 line <&9 || true
      exec 9>&-
      [[ $line != "$4"* ]] || return 0
    fi
    read -r -t 0.005 -u 7 || true
  done
  return 1
}
await_answer() { (on node bash -c "$(declare -f answers)"'; answers "$@"' answers "$@"); }

await_line() {  # await_line TEXT PID LOG: until the process has printed it to descriptor 8
  local limit=$((SECONDS + start_limit_s)) line
  while ((SECONDS < limit)); do
    if read -r -t 1 -u 8 line; then
      echo "$line" >>"$3"
      [[ $line != *"$1"* ]] || return 0
    else
      alive "$2" || return 1
    fi
  done
  return 1
}

queries=0
query() { [[ $(ctr tasks exec --exec-id "query$((++queries))" "$1" psql -h /tmp -Atc 'SELECT 6 * 7' 2>/dev/null) == 42 ]]; }

ready() {  # ready IMAGE CONTAINER PID_OF_ITS_CTR LOG
  case $1 in
    redis) await_answer "$3" 6379 $start_limit_s 'PING\r\n' +PONG ;;
    nginx) await_answer "$3" 80 $start_limit_s 'GET / HTTP/1.0\r\n\r\n' 'HTTP/1.1 200' ;;
    postgres) await_answer "$3" 5432 $start_limit_s '' '' && until_true $start_limit_s 'a query' query "$2" ;;
    openjdk) await_line OpenJDK "$3" "$4" ;;
    *) await_line ready "$3" "$4" ;;
  esac
}

# ---- containerd ------------------------------------------------------------------------------------------------

# It pulls by itself, so it is on the node's side.
ctr() { (on node timeout $command_limit_s ctr --address "$part/c.sock" "$@"); }
containerd_serves() { alive "$containerd" || fail "containerd has ended"; ctr version >/dev/null 2>&1; }
start_containerd() {  # a fresh one on the node's side; its pid is in $containerd
  cat >"$part/containerd.toml" <<TEXT
version = 2
root = "$part/containerd/root"
state = "$part/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$part/c.sock"
[ttrpc]
  address = "$part/c.sock.ttrpc"
[proxy_plugins.firstlight]
  type = "snapshot"
  address = "$part/sn.sock"
TEXT
  (on node containerd -c "$part/containerd.toml") >"$part/containerd.log" 2>&1 &
  containerd=$!
  pids+=("$containerd")
  until_true 60 'starting containerd' containerd_serves
}

# What is left of containers when something has failed: shims name the socket in their command line.
kill_containers() {
  local file pid child
  for file in /proc/[0-9]*/cmdline; do
    pid=${file#/proc/} pid=${pid%/cmdline}
    { tr '\0' ' ' <"$file"; } 2>/dev/null | grep -q "containerd-shim.* -address $part/c.sock " || continue
    for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -KILL "$child" 2>/dev/null || true; done
    kill -KILL "$pid" 2>/dev/null || true
  done
}

rx_bytes() { (on node cat /proc/net/dev) | awk '/^ *(wan|eth)[^ ]*:/ { sub(/^[^:]*:/, ""); sum += $1 } END { printf "%.0f", sum }'; }

# One start: figures FIGURE_ms, FIGURE_bytes (received until it is ready) and FIGURE_all (until nothing is missing).
containers=0
measure_start() {  # measure_start FIGURE IMAGE SNAPSHOTTER REFERENCE PULL...
  local figure=$1 image=$2 snapshotter=$3 reference=$4 since before container runner ms bytes ended=0 log=$part/program.log
  shift 4
  container=$name-$turn-$((++containers)) before=$(rx_bytes)
  start_of "$image"
  : >"$log"
  said "$log" >/dev/null  # what the last start has printed since it was ready says nothing of this one
  : >"$log"
  take_us since
  "$@" >"$part/pull.log" 2>&1 || fail "pulling $reference: $(tail -n 1 "$part/pull.log")"
  ctr run --rm --net-host --runc-root "$part/runc" --snapshotter "$snapshotter" "$reference" "$container" "${words[@]}" \
    >&8 2>&1 </dev/null &
  runner=$!
  ready "$image" "$container" "$runner" "$log" || fail "$reference is not ready: $(said "$log")"
  ms=$(ms_since "$since") bytes=$(($(rx_bytes) - before))
  [[ $port == 0 ]] || ctr tasks kill --signal KILL "$container"
  wait "$runner" || ended=$?
  [[ $port != 0 || $ended == 0 ]] || fail "$reference ended with $ended: $(said "$log")"
  if [[ $snapshotter == firstlight ]]; then
    "$firstlight" wait --quiet --timeout "${command_limit_s}s" --socket "$node_folder/sock" "$reference"
  fi
  # Only now: a start that fails leaves none of its figures.
  record "${figure}_ms" "$ms"
  record "${figure}_bytes" "$bytes"
  record "${figure}_all" $(($(rx_bytes) - before))
}
said() {  # said LOG: the last that a program printed
  local line
  while read -r -t 0.1 -u 8 line; do echo "$line" >>"$1"; done
  tail -n 3 "$1" | tr '\n' ' '
}

# ---- the systems -----------------------------------------------------------------------------------------------

layout_of() { "$source_tree/test/images/make-image" "$1$([[ $2 == 2 ]] || echo -before)" | tail -n 1; }  # layout_of IMAGE VERSION

start_registry() {
  cat >"$work/registry.yml" <<TEXT
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: '$hub_address:5000'}
TEXT
  (on hub docker-registry serve "$work/registry.yml") >"$work/registry.log" 2>&1 &
  registry=$!
  pids+=("$registry")
  registry_serves() {
    alive "$registry" || fail "the registry has ended"
    (on hub curl --fail --silent --max-time 5 "http://$hub_address:5000/v2/" >/dev/null)
  }
  until_true 30 'starting the registry' registry_serves
}
push() {  # push IMAGE VERSION; what is there stays
  (on hub timeout $command_limit_s skopeo copy --quiet --dest-tls-verify=false "oci:$(layout_of "$1" "$2"):latest" \
    "docker://$hub_address:5000/$1:$2") || fail "cannot push $1:$2"
}

by_overlayfs() {  # by_overlayfs IMAGE
  local version reference
  for version in 1 2; do push "$1" $version; done
  start_containerd
  for version in 1 2; do
    reference=$hub_address:5000/$1:$version
    measure_start "$figures.overlayfs.$version" "$1" overlayfs "$reference" \
      ctr images pull --plain-http --snapshotter overlayfs "$reference"
  done
}

start_side() {  # start_side NODE: a fresh node with its containerd
  node_folder=$part/$1
  start_node "$1" "$node_folder" containerd.socket="$part/sn.sock" containerd.address="$part/c.sock"
  until_true 60 'joining' joined "$node_folder" "$node"
  start_containerd
}
end_side() { end_process "$containerd"; end_process "$node"; detach_mounts "$part"; rm -f "$part"/*.sock*; mv "$part/containerd" "$node_folder/"; }

measure_ours() {  # measure_ours SYSTEM VERSION IMAGE
  measure_start "$figures.$1.$2" "$3" firstlight "docker.io/library/$3:$2" \
    timeout $command_limit_s "$firstlight" pull --containerd --quiet --socket "$node_folder/sock" "$3:$2"
}
by_firstlight() {  # by_firstlight IMAGE
  local version limit=0
  start_hub "$part/hub"
  for version in 1 2; do
    "$firstlight" image add --quiet --socket "$work/hub.sock" --name "$1:$version" "oci:$(layout_of "$1" $version)"
  done
  start_side first
  measure_ours first 1 "$1"
  limit=$((SECONDS + learn_limit_s))
  until learned || ((SECONDS >= limit)); do sleep 0.1; done
  record "$figures.learned" "$(learned && echo 1 || echo 0)"
  measure_ours first 2 "$1"
  end_side
  start_side second
  measure_ours second 1 "$1"
}

# ---- all of them: what fails is told, and the others go on -----------------------------------------------------

room_kb=$((20 << 20))  # kept free; folders stay until the end otherwise: ext4 is slow after many files were removed
make_room() {
  local old
  for old in "$work"/part-*; do
    (($(df --output=avail -k "$work" | tail -n 1) < room_kb)) || return 0
    rm -rf --one-file-system "$old"
  done
}

end_part() {
  local status=$?
  trap - EXIT
  kill_containers
  end_processes
  detach_mounts "$part"
  exit "$status"
}

parts=0 failures=0 part_pid=''
attempt() {  # attempt COMMAND...: in a subshell whose processes end with it; says in $trouble what went wrong
  local status=0
  make_room
  part=$work/part-$((++parts)) turn=$parts
  mkdir "$part"
  mkfifo "$part/output"
  (
    pids=()
    trap end_part EXIT
    trap 'exit 143' TERM
    exec 8<>"$part/output"
    "$@"
  ) 2>"$part/errors" &
  part_pid=$!
  wait "$part_pid" || status=$?
  part_pid='' trouble=''
  ((status == 0)) || trouble=$(sed -n 's/^bench containers: //p' "$part/errors" | tail -n 1)
  ((status == 0)) || trouble=${trouble:-$(grep . "$part/errors" | tail -n 1 || true)}
  ((status == 0)) || trouble=${trouble:-it ended with $status}
}

# When this script is ended: what a part waits for ends first, or it would not hear that it is to end.
end_all() {
  if [[ -n $part_pid ]]; then
    kill -TERM "$part_pid" $(cat "/proc/$part_pid/task/$part_pid/children" 2>/dev/null) 2>/dev/null || true
    end_process "$part_pid"
  fi
  end_processes
  detach_mounts "$work"
  [[ $link_up == no ]] || link_down
}

shown() { awk -v v="$1" -v by="$2" 'BEGIN { printf "%.2f", v / by }'; }
good_runs() { { cat "$work/figures/$1_all" 2>/dev/null || true; } | wc -l; }  # good_runs FIGURE
has_learned() { [[ $(sort -n "$work/figures/$1.learned" 2>/dev/null | head -n 1) == 1 ]]; }  # has_learned RTT.IMAGE: in each run

failed_row() {  # failed_row RTT IMAGE SYSTEM VERSION WHAT TROUBLE
  local good share=''
  good=$(good_runs "$1.$2.$3.$4")
  ((runs == 1)) || share="$((runs - good)) of $runs runs: "
  failures=$((failures + 1))
  printf '%-6s %-9s %-34s failed: %s%s\n' "$1" "$2" "$5" "$share" "$6"
  jq -cn --arg rtt "$1" --arg image "$2" --arg system "$3" --arg version "$4" --arg trouble "$6" --argjson good "$good" \
    '{rtt_ms: ($rtt | tonumber), image: $image, system: $system, version: ($version | tonumber), failed: $trouble, good_runs: $good}' \
    >>"$work/rows"
}

# Figures of fewer runs than were asked for are none: the runs that failed may have been the slow ones.
row() {  # row RTT IMAGE SYSTEM VERSION WHAT TROUBLE
  local f=$1.$2.$3.$4 overlayfs=$1.$2.overlayfs.$4 ms bytes all times='-' learned=null
  if (($(good_runs "$f") < runs)); then
    failed_row "$@"
    return
  fi
  ms=$(median "${f}_ms") bytes=$(median "${f}_bytes") all=$(median "${f}_all")
  if (($(good_runs "$overlayfs") == runs)); then times=$(shown "$(median "${overlayfs}_ms")" "$ms"); fi
  if [[ $3 == second ]]; then learned=$(has_learned "$1.$2" && echo true || echo false); fi
  printf '%-6s %-9s %-34s %9s %7s %12s %9s\n' "$1" "$2" "$5" "$(shown "$ms" 1000)" "$times" "$(shown "$bytes" 1000000)" \
    "$(shown "$all" 1000000)"
  jq -cn --arg rtt "$1" --arg image "$2" --arg system "$3" --arg version "$4" --argjson ms "$ms" --argjson bytes "$bytes" \
    --argjson all "$all" --argjson learned "$learned" '{rtt_ms: ($rtt | tonumber), image: $image, system: $system,
      version: ($version | tonumber), ready_ms: $ms, ready_bytes: $bytes, all_bytes: $all}
      + (if $learned == null then {} else {learned: $learned} end)' >>"$work/rows"
}

measure_image() {  # measure_image RTT IMAGE
  local run overlayfs='' ours='' note=''
  figures=$1.$2
  for ((run = 0; run < runs; run++)); do
    attempt by_overlayfs "$2"
    overlayfs=${overlayfs:-$trouble}
    attempt by_firstlight "$2"
    ours=${ours:-$trouble}
  done
  [[ ! -s $work/figures/$figures.learned ]] || has_learned "$figures" || note=' (nothing learned)'
  row "$1" "$2" overlayfs 1 'v1, overlayfs' "$overlayfs"
  row "$1" "$2" first 1 'v1, firstlight, first node' "$ours"
  row "$1" "$2" second 1 "v1, firstlight, later node$note" "$ours"
  row "$1" "$2" overlayfs 2 'v1 to v2, overlayfs' "$overlayfs"
  row "$1" "$2" first 2 'v1 to v2, firstlight' "$ours"
}

for image in ${images//,/ }; do
  start_of "$image"
  for version in 1 2; do layout_of "$image" $version >/dev/null; done
done
make_authority
echo "$rate, $runs run(s), link by $kind; load of this machine: $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo 'times is how many times sooner than overlayfs in the same run'
printf '%-6s %-9s %-34s %9s %7s %12s %9s\n' 'RTT ms' image case 'ready s' times 'MB at ready' 'MB in all'
for rtt in ${rtts//,/ }; do
  link_up "$rtt"
  start_registry
  for image in ${images//,/ }; do measure_image "$rtt" "$image"; done
  end_processes
  link_down
done
result=$(jq -cs --arg rate "$rate" --argjson runs "$runs" '{rate: $rate, runs: $runs, rows: .}' "$work/rows")
compare_all '
  def name: "\(.rtt_ms) ms, \(.image) v\(.version)";
  .rows | map(select(.ready_ms)) | (map(select(.system == "overlayfs") | {(name): .ready_ms}) | add) as $overlayfs |
  .[] | select(.system != "overlayfs") | ($overlayfs[name] // empty) as $target |
  ["\(name), \(.system) node", .ready_ms, "<", $target, "ms"]' <<<"$result"
((failures == 0)) || echo "bench containers: $failures rows failed" >&2
conclude "$result"
((failures == 0))
