# A bench's folder, processes, deadlines and figures: sourced. Sets $work, a temporary folder that goes with the script
# together with all mounts below it and the processes in $pids. The script has set a function fail.
work=$(mktemp -d "${TMPDIR:-/tmp}/firstlight-bench.XXXXXX")
pids=()
logs_tell=yes  # no: what the script fails for is not in the logs
mkdir "$work/figures"

mounts_left() { awk -v under="$1/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }  # mounts_left FOLDER
alive() { [[ -d /proc/$1 ]] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

end_process() {  # end_process PID
  local tries=200 others=() pid
  kill -TERM "$1" 2>/dev/null || true
  while alive "$1" && ((tries-- > 0)); do sleep 0.05; done
  ! alive "$1" || kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  for pid in "${pids[@]}"; do [[ $pid == "$1" ]] || others+=("$pid"); done
  pids=("${others[@]}")
}

# Later processes use earlier ones: nodes end before their hub.
end_processes() { while ((${#pids[@]})); do end_process "${pids[-1]}"; done; }
detach_mounts() { mounts_left "$1" | while read -r mount; do umount -l "$mount" || true; done; }  # detach_mounts FOLDER
end_all() { end_processes; detach_mounts "$work"; }

finish() {
  local status=$?
  trap - EXIT
  if [[ $status != 0 && $logs_tell == yes ]]; then tail -n 10 "$work"/*.log >&2 2>/dev/null || true; fi
  end_all
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Times are taken without a subshell: that would take a millisecond of its own.
take_us() { local t=$EPOCHREALTIME; printf -v "$1" %s $((${t%.*} * 1000000 + 10#${t#*.})); }  # take_us VARIABLE
now_us() { local now; take_us now; echo "$now"; }
ms_since() { echo $((($(now_us) - $1) / 1000)); }

until_true() {  # until_true SECONDS WHAT COMMAND...
  local now limit what=$2
  take_us now
  limit=$((now + $1 * 1000000))
  shift 2
  until "$@"; do
    take_us now
    ((now < limit)) || fail "$what took too long"
    sleep "${poll_s:-0.05}"
  done
}

# Adds a figure: record NAME VALUE; all of one name are medianed at the end.
record() { echo "$2" >>"$work/figures/$1"; }
median() { sort -n "$work/figures/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

make_authority() { "$firstlight" pki init --folder "$work/pki" >/dev/null && "$firstlight" pki issue hub bench --folder "$work/pki" >/dev/null; }
tls_settings() {  # tls_settings CERTIFICATE
  printf -- '--set\ntls.ca=%s\n--set\ntls.certificate=%s\n--set\ntls.key=%s\n' "$work/pki/ca.crt" "$work/pki/$1.crt" "$work/pki/$1.key"
}
