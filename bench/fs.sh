#!/bin/bash
# Compares mounted images with the same files on a native overlayfs over ext4, in the same run, interleaved.
# Called by ./dev bench fs, which builds first. The last line of its output is one JSON object of ratios.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
firstlight=${FIRSTLIGHT:-$source_tree/build/firstlight}
bench_fs=$source_tree/build/bench/bench_fs

usage() {
  cat <<'TEXT'
usage: ./dev bench fs [--rounds N] [--modes MODE[,MODE...]]
  --rounds N     repeats of each workload on each mount; figures are medians (default: 5)
  --modes MODES  ways to mount (default: hybrid,overlay,fuse)
The image is a Debian system with python3, 20,000 small files, one of 256 MB and a git repository. $TMPDIR (default:
/tmp) holds it, and must be on a disk's file system for hybrid.
TEXT
}
fail() { echo "bench fs: $*" >&2; exit 1; }

rounds=5 modes=hybrid,overlay,fuse
while (($#)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift ;;
    --modes) modes=${2:?--modes needs names}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "bench fs: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((EUID == 0)) || fail "mounting needs root"

. "$here/cluster.sh"

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
status | jq -r '.mounts[] | "\(.name): \(.requests) FUSE requests in all, \(.reads) of them reads"'
tail -n 1 "$work/table"
