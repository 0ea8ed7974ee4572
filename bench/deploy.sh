#!/bin/bash
# Deploys a real image from a hub to nodes over a long link, and compares what it takes with what the link allows.
# Called by ./dev bench deploy, which builds first. The last line of its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}

usage() {
  cat <<'TEXT'
usage: ./dev bench deploy [--rtt MS[,MS...]] [--rate RATE] [--image REF] [--runs N] [--idle SECONDS] [--link COMMAND]
       ./dev bench deploy --size 1g [--rate RATE] [--rtt MS]
  --rtt MS       round trips of the link in milliseconds, each measured by itself (default: 100,300; with --size: 0)
  --rate RATE    of the link, as in 100mbit (default); with --size 10gbit
  --image REF    an image in an OCI layout, oci:DIR[:TAG], that has redis-server (default: made from Debian packages)
  --runs N       repeats of each; figures are medians (default: 1)
  --idle SECONDS how long a standing connection is left alone before its deployment (default: 30)
  --size SIZE    instead: stream a made image of SIZE (as in 1g, 300m), half of it incompressible, and look at memory
  --link COMMAND makes the link where the kernel has no netem (default: $FIRSTLIGHT_LINK): a program with the verbs
                 'up --name N --rtt Tms --rate R', which prints HUB=address and NODE=address, '--name N exec hub|node CMD',
                 and '--name N down'
Each target is told as met or MISSED; the exit code is 1 if one is missed.
TEXT
}

fail() { echo "bench deploy: $*" >&2; exit 1; }

rtts='' rate='' image='' runs=1 idle=30 size='' link=${FIRSTLIGHT_LINK:-}
while (($#)); do
  case $1 in
    --rtt) rtts=${2:?--rtt needs milliseconds}; shift ;;
    --rate) rate=${2:?--rate needs a rate}; shift ;;
    --image) image=${2:?--image needs a reference}; shift ;;
    --runs) runs=${2:?--runs needs a number}; shift ;;
    --idle) idle=${2:?--idle needs seconds}; shift ;;
    --size) size=${2:?--size needs a size}; shift ;;
    --link) link=${2:?--link needs a command}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench deploy: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
if [[ -n $size ]]; then rtts=${rtts:-0} rate=${rate:-10gbit}; else rtts=${rtts:-100,300} rate=${rate:-100mbit}; fi
[[ $rtts =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "--rtt is written as in 100 or 100,300"
[[ $runs =~ ^[1-9][0-9]*$ && $idle =~ ^[0-9]+$ ]] || fail "--runs and --idle are numbers"
[[ -z $size || $size =~ ^[0-9]+[gm]$ ]] || fail "--size is written as in 1g or 300m"
((EUID == 0)) || fail "namespaces and mounts need root"

. "$here/link.sh"
. "$here/targets.sh"

# ---- measuring -----------------------------------------------------------------------------------------------

wire_ms() { awk -v bytes="$1" -v rate="$bytes_per_second" 'BEGIN { printf "%.1f", bytes * 1000 / rate }'; }
# What the link is busy with bytes that TCP sends over it: 52 of 1500 bytes of a packet are headers of IP and TCP.
transfer_ms() { wire_ms $(($1 + ($1 + 1447) / 1448 * 52)); }
sum() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a + b }'; }
tenths() { awk -v us="$1" 'BEGIN { printf "%.1f", us / 1000 }'; }  # milliseconds of microseconds

cpu_ms() {  # of a process and its threads so far
  awk -v hz="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); print int(($12 + $13) * 1000 / hz) }' "/proc/$1/stat"
}
peak_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
# The host of a virtual machine takes memory away that has been idle, of processes as well; whoever touches it next pays up
# to 45 us a page, 10 to 25 ms of a deployment that say nothing of hub, node and link. So what they have is read, the
# program too, and as much free memory as a start needs is touched.
wake_machine() {  # wake_machine PID...
  local pid
  for pid; do read_memory "$pid"; done
  cat "$firstlight" >/dev/null
  head -c 256M /dev/zero | tail -c 200M >/dev/null
}
read_memory() {  # of a process: what it has of it, not what it has reserved
  local from to
  awk '/^[0-9a-f]+-[0-9a-f]+ / { range = $2 ~ /^r/ ? $1 : "" } /^Rss:/ && $2 > 0 && range != "" { print range }' "/proc/$1/smaps" |
    while IFS=- read -r from to; do
      # Some of the kernel's own ranges cannot be read.
      dd if="/proc/$1/mem" of=/dev/null bs=64K iflag=skip_bytes,count_bytes skip=$((0x$from)) count=$((0x$to - 0x$from)) 2>/dev/null || true
    done
}
forget_peak() { echo 5 >"/proc/$1/clear_refs"; }  # the peak counts from now on

# ---- hub and nodes -------------------------------------------------------------------------------------------

start_hub_with_image() {
  start_hub "$work/hub-$turn"
  "$firstlight" image add --json --socket "$work/hub.sock" "$image" >"$work/image.json"
}

# A node with an empty store; its folder is in $node_folder.
start_empty_node() {  # start_empty_node NAME
  node_folder=$work/$1-$turn
  start_node "$1" "$node_folder"
}
mount_image() { "$firstlight" mount --json --name bench --socket "$1/sock" "$image" "$1/mount" >"$1/mount.json" && [[ -d $1/mount/usr || -d $1/mount/data ]]; }
wait_complete() { "$firstlight" wait --quiet --timeout 20m --socket "$1/sock" "$image"; }
received() { status "$1" | jq '[.deliveries[].bytes_received] | add // 0'; }
# On the wire, as the hub's log says of the last delivery.
toc_bytes() { sed -n 's/.* of the table of contents \([0-9]*\) bytes.*/\1/p' "$work/hub.log" | tail -n 2 | awk '{ sum += $1 } END { print sum }'; }

# Stores stay until the end: ext4 is slow to make files while it remembers many that were just deleted.
end_node() {  # end_node FOLDER PID
  "$firstlight" umount --quiet --socket "$1/sock" bench
  end_process "$2"
}

# (a) From the command until its mount can be used, on a node that has just started and is dialling its hub.
fresh_connection() {  # fresh_connection PREFIX RTT
  start_empty_node fresh
  local folder=$node_folder pid=$node since mounted
  until_true 60 'starting a node' serves "$folder" "$pid"
  take_us since
  mount_image "$folder"
  take_us mounted
  record "$1_fresh_ms" "$(tenths $((mounted - since)))"
  record "$1_fresh_daemon_ms" "$(jq .elapsed_ms "$folder/mount.json")"
  wait_complete "$folder"
  record "$1_fresh_complete_ms" "$(ms_since "$since")"
  end_node "$folder" "$pid"
}

pong() {
  local answer=''
  exec 9<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'PING\r\n' >&9 && read -r -t 5 answer <&9 || true
  exec 9>&-
  [[ $answer == +PONG* ]]
}
redis_ready() { pong "$1" 2>/dev/null && return; alive "$2" || fail "redis has ended"; return 1; }

# (c) redis from the mount, until it answers.
start_redis() {  # start_redis PREFIX FOLDER SINCE
  local port=$((20000 + RANDOM % 12000)) redis at_ready
  chroot "$2/mount" redis-server --port "$port" --bind 127.0.0.1 --save '' --dir /tmp >"$work/redis.log" 2>&1 &
  redis=$!
  pids+=("$redis")
  until_true 120 'starting redis' redis_ready "$port" "$redis"
  record "$1_ready_ms" "$(ms_since "$3")"
  at_ready=$(status "$2")
  record "$1_ready_bytes" "$(jq '[.deliveries[].bytes_received] | add' <<<"$at_ready")"
  record "$1_waits" "$(jq '[.mounts[].waits] | add' <<<"$at_ready")"
  record "$1_misses" "$(jq '[.mounts[].misses] | add' <<<"$at_ready")"
  record "$1_stall_ms" "$(jq '[.mounts[].wait_total_ms] | add' <<<"$at_ready")"
  end_process "$redis"
}

# (b), (c), (d) A deployment on a standing connection.
deploy() {  # deploy PREFIX FOLDER PID
  local folder=$2 pid=$3 since mounted hub_cpu node_cpu complete bytes
  wake_machine "$hub" "$pid"
  hub_cpu=$(cpu_ms "$hub") node_cpu=$(cpu_ms "$pid")
  forget_peak "$hub"
  forget_peak "$pid"
  take_us since
  mount_image "$folder"
  take_us mounted
  record "$1_mounted_ms" "$(tenths $((mounted - since)))"
  record "$1_mounted_daemon_ms" "$(jq .elapsed_ms "$folder/mount.json")"
  [[ -n $size ]] || start_redis "$1" "$folder" "$since"
  wait_complete "$folder"
  complete=$(ms_since "$since")
  bytes=$(received "$folder")
  record "$1_complete_ms" "$complete"
  record "$1_bytes" "$bytes"
  record "$1_hub_cpu_ms" $(($(cpu_ms "$hub") - hub_cpu))
  record "$1_node_cpu_ms" $(($(cpu_ms "$pid") - node_cpu))
  record "$1_hub_peak_kb" "$(peak_kb "$hub")"
  record "$1_node_peak_kb" "$(peak_kb "$pid")"
  "$firstlight" umount --quiet --socket "$folder/sock" bench
  [[ -n $size ]] || until_true 60 'learning from the start' learned
  end_process "$pid"
}

# (e) One file over the same link: milliseconds that curl needs, its connection included, which alone took $connect_ms:
# one round trip, as programs see it.
download() {  # download FIGURE BYTES
  mkdir -p "$work/files"
  truncate -s "$2" "$work/files/image"
  (on hub busybox httpd -f -p "$hub_address:8080" -h "$work/files") >"$work/http.log" 2>&1 &
  local server=$! times
  pids+=("$server")
  http_listens() { alive "$server" || fail "the HTTP server has ended"; grep -q ':1F90 00000000:0000 0A' "/proc/$server/net/tcp"; }
  until_true 10 'starting the HTTP server' http_listens
  times=$(on node curl -sS -o /dev/null -w '%{time_connect} %{time_total}' "http://$hub_address:8080/image")
  connect_ms=$(awk '{ printf "%.1f", $1 * 1000 }' <<<"$times")
  record "$1" "$(awk '{ print int($2 * 1000) }' <<<"$times")"
  end_process "$server"
}

# ---- what is compared with what ------------------------------------------------------------------------------

tell() { printf '  %-58s %9s %s\n' "$1" "$2" "${3:-}"; }
# Where the whole is 0: 0 if the part is, too, else far above any target.
percent() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a * 100 / (b > 0 ? b : 0.001) }'; }
megabytes() { awk -v kb="$1" 'BEGIN { printf "%.0f", kb / 1024 }'; }
seconds() { awk -v ms="$1" 'BEGIN { printf "%.2f", ms / 1000 }'; }

tell_deployment() {  # tell_deployment PREFIX TITLE RTT MOUNT_MS
  local p=$1 bytes ideal
  bytes=$(median "${p}_bytes")
  ideal=$(sum "$3" "$(wire_ms "$bytes")")
  echo "$2"
  compare "$p, mount usable (standing connection): 1 RTT + TOC" "$(median "${p}_mounted_daemon_ms")" '<' "$4" ms
  tell '  with the start and end of the command that asks' "$(median "${p}_mounted_ms")" ms
  compare "$p, share of (1 RTT + bytes / rate) while complete" "$(percent "$ideal" "$(median "${p}_complete_ms")")" '>=' 90 %
  compare "$p, bytes received when redis answers" "$(percent "$(median "${p}_ready_bytes")" "$bytes")" '<' 40 %
  tell 'redis answers after' "$(median "${p}_ready_ms")" ms
  tell 'complete after' "$(median "${p}_complete_ms")" "ms, $bytes bytes"
  tell 'reads that waited; blocks asked for' "$(median "${p}_waits")" "; $(median "${p}_misses")"
  tell 'what they waited together' "$(median "${p}_stall_ms")" ms
  tell_load "$p"
}
tell_load() {
  tell 'CPU of hub; node' "$(seconds "$(median "$1_hub_cpu_ms")")" "s; $(seconds "$(median "$1_node_cpu_ms")") s"
  compare "$1, peak memory of hub" "$(megabytes "$(median "$1_hub_peak_kb")")" '<' 150 MB
  compare "$1, peak memory of node" "$(megabytes "$(median "$1_node_peak_kb")")" '<' 150 MB
}

measure() {  # measure RTT
  local prefix=rtt$1 first first_pid second second_pid
  link_up "$1"
  start_hub_with_image
  start_empty_node first
  first=$node_folder first_pid=$node
  start_empty_node second
  second=$node_folder second_pid=$node
  until_true 60 'joining' joined "$first" "$first_pid"
  until_true 60 'joining' joined "$second" "$second_pid"
  sleep "$idle"
  deploy "${prefix}_first" "$first" "$first_pid"
  record "${prefix}_toc_bytes" "$(toc_bytes)"
  deploy "${prefix}_second" "$second" "$second_pid"
  fresh_connection "$prefix" "$1"
  download "${prefix}_curl_toc_ms" "$(toc_bytes)"
  record "${prefix}_connect_ms" "$connect_ms"
  download "${prefix}_curl_ms" "$(jq .compressed_bytes "$work/image.json")"
  end_all
}

measure_size() {  # measure_size RTT
  link_up "$1"
  start_hub_with_image
  start_empty_node first
  until_true 60 'joining' joined "$node_folder" "$node"
  deploy "rtt$1_first" "$node_folder" "$node"
  end_all
}

# Half random bytes, half text; many small files beside few large ones. Kept as the other images are.
make_sized() {
  local out=${FIRSTLIGHT_CACHE:-$source_tree/.cache/images}/sized-$size megabytes=${size%[gm]} i tree=$work/tree
  [[ $size == *m ]] || megabytes=$((megabytes * 1024))
  if [[ ! -d $out ]]; then
    mkdir -p "$tree/data/small"
    for ((i = 0; i < megabytes / 8; i++)); do
      head -c 4M /dev/urandom >"$tree/data/random$i"
      { echo "file $i"; seq $((i * 1000000)) $((i * 1000000 + 600000)); } | head -c 3M >"$tree/data/text$i" || true
      seq "$i" $((i + 200000)) | head -c 1M | split -a 3 -b 16K - "$tree/data/small/part$i-" || true
    done
    mkdir -p "$(dirname "$out")"
    umoci init --layout "$work/sized"
    umoci new --image "$work/sized:latest"
    umoci insert --image "$work/sized:latest" "$tree/data" /data >&2
    mv "$work/sized" "$out"
    rm -rf "$tree"
  fi
  image=oci:$(readlink -f "$out"):latest
}

if [[ -n $size ]]; then
  make_sized
elif [[ -z $image ]]; then
  image=oci:$("$source_tree/test/images/make-image" redis | tail -n 1):latest
elif [[ $image == oci:* ]]; then
  path=${image#oci:} tag=''
  [[ -d $path ]] || { tag=:${path##*:}; path=${path%:*}; }
  [[ -d $path ]] || fail "there is no OCI layout $path"
  image=oci:$(readlink -f "$path")$tag
fi

make_authority

echo "image $image; $rate, $runs run(s), link by $kind; load of this machine: $(cut -d ' ' -f 1-3 /proc/loadavg)"
for rtt in ${rtts//,/ }; do
  for ((run = 0; run < runs; run++)); do
    turn=$rtt-$run
    if [[ -n $size ]]; then measure_size "$rtt"; else measure "$rtt"; fi
  done
  p=rtt$rtt
  echo "--- round trip $rtt ms"
  if [[ -n $size ]]; then
    tell 'complete after' "$(median "${p}_first_complete_ms")" "ms, $(median "${p}_first_bytes") bytes"
    tell_load "${p}_first"
    continue
  fi
  toc_ms=$(wire_ms "$(median "${p}_toc_bytes")")
  mount_ms=$(sum "$(median "${p}_connect_ms")" "$(transfer_ms "$(median "${p}_toc_bytes")")")
  tell_deployment "${p}_first" 'first node: the hub builds its segments' "$rtt" "$mount_ms"
  tell_deployment "${p}_second" 'second node: the segments are there, and the first start has taught' "$rtt" "$mount_ms"
  compare "${p}_second, what reads waited, of the first node's" \
    "$(percent "$(median "${p}_second_stall_ms")" "$(median "${p}_first_stall_ms")")" '<' 50 %
  compare "${p}_second, misses" "$(median "${p}_second_misses")" '<' 2 blocks
  echo 'beside them'
  # A new TCP connection has to open its window first: what curl needs for as many bytes beyond its own two round trips.
  cold_ms=$(($(median "${p}_curl_toc_ms") - 2 * rtt))
  compare "${p}_fresh, mount usable: 3 RTT + TOC by curl" "$(median "${p}_fresh_ms")" '<' $((3 * rtt + cold_ms)) ms
  tell '  in the daemon, as on a standing connection' "$(median "${p}_fresh_daemon_ms")" ms
  tell '  3 RTT + TOC at the link'\''s rate, as if a connection began with an open window' "$(sum $((3 * rtt)) "$toc_ms")" ms
  tell 'complete on a fresh connection after' "$(median "${p}_fresh_complete_ms")" ms
  tell 'curl of a file of the compressed image'\''s size' "$(median "${p}_curl_ms")" "ms, $(jq .compressed_bytes "$work/image.json") bytes"
done
result=$(
  for file in "$work"/figures/*; do
    jq -n --arg name "$(basename "$file")" --argjson value "$(median "$(basename "$file")")" '{($name): $value}'
  done | jq -cs --arg image "$image" --arg rate "$rate" --argjson runs "$runs" '{image: $image, rate: $rate, runs: $runs} + add'
)
conclude "$result"
