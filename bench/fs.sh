#!/bin/bash
# Compares mounted images with the same files on a native overlayfs over ext4, in the same run, interleaved.
# Called by ./dev bench fs, which builds first. The last line of its output is one JSON object.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}
bench_fs=$source_tree/build/bench/bench_fs

usage() {
  cat <<'TEXT'
usage: ./dev bench fs [--rounds N] [--modes MODE[,MODE...]] [--file-system NAME]
  --rounds N          repeats of each workload on each mount; figures are medians, ratios those of each round's (default: 5)
  --modes MODES       ways to mount (default: hybrid,overlay,fuse)
  --file-system NAME  what all is on, the native overlayfs too (default: ext4, for which the targets are)
The image is a Debian system with python3, 20,000 small files, one of 256 MB and a git repository. $TMPDIR (default:
/tmp) holds it, and must be on that file system; hybrid needs a disk's. Each target is told as met or MISSED, those of
overlay only if files are read by passthrough; the exit code is 1 if one is missed.
TEXT
}
fail() { echo "bench fs: $*" >&2; exit 1; }

rounds=5 modes=hybrid,overlay,fuse file_system=ext4
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift ;;
    --modes) modes=${2:?--modes needs names}; shift ;;
    --file-system) file_system=${2:?--file-system needs a name}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench fs: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((EUID == 0)) || fail "mounting needs root"

. "$here/cluster.sh"
. "$here/targets.sh"

found=$(findmnt --noheadings --first-only --output FSTYPE --target "$work") || fail "cannot tell on which file system $work is"
[[ $found == "$file_system" ]] ||
  fail "${work%/*} is on $found: set TMPDIR to a folder on $file_system, or compare on that with --file-system $found"

# ---- the image -----------------------------------------------------------------------------------------------

echo "image     making python3 from Debian packages, or taking it from the cache" >&2
base=$("$source_tree/test/images/make-image" python3)
data=$work/data
mkdir -p "$data/small"
for folder in $(seq 0 99); do
  mkdir "$data/small/$folder"
  for file in $(seq $((folder * 200)) $((folder * 200 + 199))); do
    head -c $((200 + file % 3000)) /dev/urandom >"$data/small/$folder/$file"
  done
done
head -c $((128 << 20)) /dev/urandom >"$data/large"
cat "$data/large" | tr '\0-\177' '\200-\377' >>"$data/large2" && cat "$data/large2" >>"$data/large" && rm "$data/large2"
cp /bin/true "$data/true"
git init -q "$data/repository"
commit() { git -C "$data/repository" -c user.name=bench -c user.email=bench@localhost "$@"; }
cp -r "$data/small/"{0..19} "$data/repository/"
commit add -A && commit commit -qm first && commit tag first
for folder in $(seq 0 19); do for file in "$data/repository/$folder"/*; do echo changed >>"$file"; done; done
commit add -A && commit commit -qm second && commit tag second
cp -r "$base" "$work/layout"
umoci insert --image "$work/layout:latest" "$data" /bench 2>"$work/umoci.log"
rm -rf "$data"

# ---- the mounts ----------------------------------------------------------------------------------------------

umoci unpack --image "$work/layout:latest" "$work/unpacked" 2>>"$work/umoci.log"
mkdir -p "$work/native" "$work/upper" "$work/workdir"
mount -t overlay bench -o "lowerdir=$work/unpacked/rootfs,upperdir=$work/upper,workdir=$work/workdir" "$work/native"

start_cluster
"$firstlight" image add --json --socket "$work/hub.sock" --name bench:1 "oci:$work/layout:latest" >/dev/null
status() { "$firstlight" status --node --json --socket "$work/node.sock"; }
"$firstlight" pull --quiet --socket "$work/node.sock" bench:1
systems=("native=$work/native")
for mode in ${modes//,/ }; do
  "$firstlight" mount --quiet --socket "$work/node.sock" --mount-mode "$mode" --name "$mode" bench:1 "$work/$mode"
  systems+=("$mode=$work/$mode,$node")
done

"$bench_fs" --rounds "$rounds" "${systems[@]}" | tee "$work/table" | sed '$d'
mounts=$(status | jq -c .mounts)
jq -r '.[] | "\(.name): \(.requests) FUSE requests in all, \(.reads) of them reads"' <<<"$mounts"
result=$(jq -c --argjson mounts "$mounts" --arg file_system "$file_system" '{file_system: $file_system, workloads: .,
  mounts: ($mounts | map({key: .name, value: {fuse_requests: .requests, passthrough_opens: .opens_through}}) | from_entries)}' \
  <<<"$(tail -n 1 "$work/table")")
compare_all '
  def ratios($mode; $most; $workloads):
    $workloads[] as $workload | .workloads[$workload][$mode] // empty | ["\($mode), \($workload)", .ratio, "<=", $most];
  ["sequential read", "sequential read, cold", "random read", "random read, cold", "mmap"] as $reads |
  ratios("hybrid"; 1.05; $reads),
  ratios("hybrid"; 1.20; ["open, read, close", "open, read, close, cold", "stat"]),
  ratios("hybrid"; 1.10; ["exec"]),
  (.mounts.hybrid // empty | ["hybrid, FUSE requests", .fuse_requests, "<=", 0]),
  (select(.mounts.overlay.passthrough_opens > 0) |
    ratios("overlay"; 1.10; $reads),
    ratios("overlay"; 1.30; ["stat", "find", "find, cold"]))' <<<"$result"
conclude "$result"
