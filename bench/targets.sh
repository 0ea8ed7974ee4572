# Compares a bench's figures with their targets: sourced after work.sh. Each comparison is told at once; the JSON object
# that ends the script's output has them all as targets.
: >"$work/targets"

compare() {  # compare WHAT FIGURE '<'|'<='|'>=' TARGET [UNIT]; figure and target are JSON numbers
  local met=true verdict=met
  awk -v a="$2" -v b="$4" -v op="$3" 'BEGIN { exit !(op == "<" ? a < b : op == "<=" ? a <= b : a >= b) }' ||
    met=false verdict=MISSED
  echo "$verdict: $1: $2 of $3 $4${5:+ $5}"
  jq -cn --arg name "$1" --argjson figure "$2" --argjson target "$4" --argjson met "$met" \
    '{name: $name, figure: $figure, target: $target, met: $met}' >>"$work/targets"
}

# Figures are rounded to thousandths first.
compare_all() {  # compare_all FILTER <JSON: each array that the jq filter makes holds compare's arguments
  local what figure operator target unit
  jq -r "$1 | .[1] |= (. * 1000 | round / 1000) | @tsv" |
    while IFS=$'\t' read -r what figure operator target unit; do
      compare "$what" "$figure" "$operator" "$target" "$unit"
    done
}

# Prints the object with its targets, and ends the script with 1 if one is missed.
conclude() {  # conclude JSON_OBJECT
  jq -c --slurpfile targets "$work/targets" '. + {targets: $targets}' <<<"$1"
  jq -es 'all(.met)' "$work/targets" >/dev/null || { logs_tell=no; exit 1; }
}
