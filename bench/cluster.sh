# A hub and a node on loopback for benches: sourced. Sets what work.sh sets. The script has set $firstlight, and a
# function fail; for a relay $source_tree too.
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# $work/hub.sock and $work/node.sock answer when it returns; the node's pid is in $node.
start_cluster() {  # start_cluster [NODE SETTING...]
  start_loopback_hub
  start_loopback_node "$@"
}

start_loopback_hub() {  # start_loopback_hub [SETTING...]
  local options settings=() setting
  make_authority
  mapfile -t options < <(tls_settings hub-bench)
  for setting; do settings+=(--set "$setting"); done
  "$firstlight" hub --config /dev/null --set store_folder="$work/hub" --set socket="$work/hub.sock" \
    --set listen=127.0.0.1:0 --set address_file="$work/address" "${options[@]}" "${settings[@]}" >"$work/hub.log" 2>&1 &
  pids+=($!)
  until_true 60 'starting the hub' test -s "$work/address"
}

# A node that starts after this comes to the hub by a relay, which passes all at once until pass_at_most says otherwise.
start_relay() {
  mkfifo "$work/relay.in"
  "$source_tree/build/test/test_relay" 0 "$(sed 's/.*://' "$work/address")" <"$work/relay.in" >"$work/relay.log" 2>&1 &
  pids+=($!)
  exec {relay_in}>"$work/relay.in"
  until_true 10 'starting the relay' grep -q '^port ' "$work/relay.log"
  echo "127.0.0.1:$(sed -n 's/^port //p' "$work/relay.log")" >"$work/address"
}
pass_at_most() { echo "rate $1" >&"$relay_in"; }  # pass_at_most BYTES_PER_SECOND, in each direction; 0: no limit

start_loopback_node() {  # start_loopback_node [SETTING...]
  local options settings=() setting
  "$firstlight" pki issue node bench --folder "$work/pki" >/dev/null
  for setting; do settings+=(--set "$setting"); done
  mapfile -t options < <(tls_settings node-bench)
  "$firstlight" node --config /dev/null --set store_folder="$work/node" --set run_folder="$work/run" \
    --set socket="$work/node.sock" --set hub="$(<"$work/address")" "${options[@]}" "${settings[@]}" >"$work/node.log" 2>&1 &
  node=$!
  pids+=("$node")
  node_is_up() { [[ $("$firstlight" status --node --json --socket "$work/node.sock" 2>/dev/null | jq -r .link.state) == up ]]; }
  until_true 60 'joining' node_is_up
}
