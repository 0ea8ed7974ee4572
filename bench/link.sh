# A hub and nodes on the two sides of a link, for benches: sourced, after options are read. The script has set $firstlight,
# $rate, $link and a function fail. Sets what work.sh sets.
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"
poll_s=0.002
name=fl$$ link_up=no
case $rate in
  *mbit) bytes_per_second=$((${rate%mbit} * 125000)) ;;
  *gbit) bytes_per_second=$((${rate%gbit} * 125000000)) ;;
  *) fail "--rate is written as in 100mbit or 1gbit" ;;
esac

# The link goes last.
end_all() { end_processes; detach_mounts "$work"; [[ $link_up == no ]] || link_down; }

# ---- the link: the kernel's netem between two namespaces, or a command -----------------------------------------

have_netem() {
  local answer=0
  ip netns add "$name-try"
  ip -n "$name-try" link add name try type dummy 2>/dev/null &&
    tc -n "$name-try" qdisc add dev try root netem delay 1ms 2>/dev/null || answer=1
  ip netns del "$name-try"
  return $answer
}

# Receive and send windows of one bandwidth-delay product and more, as a link like this needs.
open_windows() {
  nsenter "--net=/run/netns/$1" sh -c 'echo 4096 131072 134217728 >/proc/sys/net/ipv4/tcp_rmem
    echo 4096 16384 134217728 >/proc/sys/net/ipv4/tcp_wmem; echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save'
}

netem_up() {  # netem_up RTT_MS
  local half_us side queue
  half_us=$(awk -v ms="$1" 'BEGIN { print int(ms * 500) }')
  queue=$((bytes_per_second / 1000 * half_us / 1000 * 4 / 1000 + 1000))  # packets: two bandwidth-delay products
  for side in hub node; do ip netns add "$name-$side"; done
  ip -n "$name-hub" link add name wan0 type veth peer name wan0 netns "$name-node"
  ip -n "$name-hub" addr add 10.219.0.1/30 dev wan0
  ip -n "$name-node" addr add 10.219.0.2/30 dev wan0
  for side in hub node; do
    ip -n "$name-$side" link set lo up
    ip -n "$name-$side" link set wan0 up
    tc -n "$name-$side" qdisc add dev wan0 root netem delay "${half_us}us" rate "$rate" limit "$queue"
    open_windows "$name-$side"
  done
  hub_address=10.219.0.1
}

link_up() {  # link_up RTT_MS
  link_up=yes
  if [[ $kind == netem ]]; then
    netem_up "$1"
  else
    $link --name "$name" up --rtt "$1ms" --rate "$rate" >"$work/link.env"
    hub_address=$(sed -n 's/^HUB=//p' "$work/link.env")
    [[ -n $hub_address ]] || fail "the link command says no HUB=address"
  fi
}

link_down() {
  link_up=no
  if [[ $kind == netem ]]; then
    ip netns del "$name-node" || true
    ip netns del "$name-hub" || true
  else
    $link --name "$name" down >/dev/null || true
  fi
}

# Replaces this (sub)shell by the command, on one side of the link; before what else this machine does. Only the network
# is another one there: mounts are seen from outside.
on() {  # on hub|node CMD...
  local side=$1; shift
  if [[ $kind == netem ]]; then
    exec nice -n -15 nsenter "--net=/run/netns/$name-$side" -- "$@"
  else
    exec nice -n -15 $link --name "$name" exec "$side" "$@"
  fi
}

if have_netem; then kind=netem; else kind=command; fi
if [[ $kind == command && -z $link ]]; then
  fail "this kernel has no netem, and there is no link command: give --link or \$FIRSTLIGHT_LINK"
fi

# ---- hub and nodes -------------------------------------------------------------------------------------------

# Its pid is in $hub; it listens and answers at $work/hub.sock when this returns.
start_hub() {  # start_hub STORE_FOLDER
  local options
  mapfile -t options < <(tls_settings hub-bench)
  rm -f "$work/address"
  (on hub "$firstlight" hub --config /dev/null --set store_folder="$1" --set socket="$work/hub.sock" \
    --set listen="$hub_address:0" --set address_file="$work/address" "${options[@]}") >"$work/hub.log" 2>&1 &
  hub=$!
  pids+=("$hub")
  hub_listens() { alive "$hub" || fail "the hub has ended"; [[ -s $work/address && -S $work/hub.sock ]]; }
  until_true 60 'starting the hub' hub_listens
}

# Starts a node with what its folder has; its pid is in $node.
start_node() {  # start_node CERTIFICATE_NAME FOLDER [SETTING...]
  local options settings=() folder=$2 certificate=$1 setting
  shift 2
  for setting; do settings+=(--set "$setting"); done
  mkdir -p "$folder"
  [[ -f $work/pki/node-$certificate.crt ]] || "$firstlight" pki issue node "$certificate" --folder "$work/pki" >/dev/null
  mapfile -t options < <(tls_settings "node-$certificate")
  (on node "$firstlight" node --config /dev/null --set store_folder="$folder/store" --set run_folder="$folder/run" \
    --set socket="$folder/sock" --set hub="$(<"$work/address")" "${options[@]}" "${settings[@]}") >"$work/$certificate.log" 2>&1 &
  node=$!
  pids+=("$node")
}
serves() { alive "$2" || fail "the node has ended"; [[ -S $1/sock ]]; }  # serves FOLDER PID
status() { "$firstlight" status --node --json --socket "$1/sock"; }  # status FOLDER
joined() { serves "$1" "$2" && [[ $(status "$1" | jq -r .link.state) == up ]]; }  # joined FOLDER PID

# What one start has read is on the hub, so that the next one is sent it first.
learned() { (($("$firstlight" trace ls --json --socket "$work/hub.sock" | jq '[.images[].learned_from] | add') > 0)); }
