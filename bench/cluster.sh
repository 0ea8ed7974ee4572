# A hub and a node on loopback for benches: sourced. Sets what work.sh sets. The script has set $firstlight, and a
# function fail.
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# $work/hub.sock and $work/node.sock answer when it returns; the node's pid is in $node.
start_cluster() {  # start_cluster [NODE SETTING...]
  local options settings=() setting
  make_authority
  "$firstlight" pki issue node bench --folder "$work/pki" >/dev/null
  mapfile -t options < <(tls_settings hub-bench)
  "$firstlight" hub --config /dev/null --set store_folder="$work/hub" --set socket="$work/hub.sock" \
    --set listen=127.0.0.1:0 --set address_file="$work/address" "${options[@]}" >"$work/hub.log" 2>&1 &
  pids+=($!)
  until_true 60 'starting the hub' test -s "$work/address"
  for setting; do settings+=(--set "$setting"); done
  mapfile -t options < <(tls_settings node-bench)
  "$firstlight" node --config /dev/null --set store_folder="$work/node" --set run_folder="$work/run" \
    --set socket="$work/node.sock" --set hub="$(<"$work/address")" "${options[@]}" "${settings[@]}" >"$work/node.log" 2>&1 &
  node=$!
  pids+=("$node")
  node_is_up() { [[ $("$firstlight" status --node --json --socket "$work/node.sock" 2>/dev/null | jq -r .link.state) == up ]]; }
  until_true 60 'joining' node_is_up
}
