# A hub and a node on loopback for benches: sourced. Sets $work, a temporary folder that goes with the script together
# with all processes and mounts. The script has set $firstlight, and a function fail.
work=$(mktemp -d "${TMPDIR:-/tmp}/firstlight-bench.XXXXXX")
pids=()
mounts_left() { awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }
alive() { [[ -d /proc/$1 ]] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
finish() {
  local status=$? pid tries
  trap - EXIT
  if ((status != 0)); then tail -n 10 "$work"/*.log >&2 2>/dev/null || true; fi
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    tries=200
    while alive "$pid" && ((tries-- > 0)); do sleep 0.05; done
    ! alive "$pid" || kill -KILL "$pid" 2>/dev/null || true
  done
  mounts_left | while read -r mount; do umount -l "$mount" || true; done
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

until_true() {  # until_true SECONDS WHAT COMMAND...
  local limit=$((SECONDS + $1)) what=$2; shift 2
  until "$@"; do ((SECONDS < limit)) || fail "$what took too long"; sleep 0.05; done
}

tls_settings() {  # tls_settings CERTIFICATE
  printf -- '--set\ntls.ca=%s\n--set\ntls.certificate=%s\n--set\ntls.key=%s\n' "$work/pki/ca.crt" "$work/pki/$1.crt" "$work/pki/$1.key"
}

start_cluster() {  # start_cluster [NODE SETTING...]: $work/hub.sock and $work/node.sock answer when it returns
  local options settings=()
  "$firstlight" pki init --folder "$work/pki" >/dev/null
  "$firstlight" pki issue hub bench --folder "$work/pki" >/dev/null
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
  pids=($! "${pids[@]}")  # it ends before its hub
  node_is_up() { [[ $("$firstlight" status --node --json --socket "$work/node.sock" 2>/dev/null | jq -r .link.state) == up ]]; }
  until_true 60 'joining' node_is_up
}
