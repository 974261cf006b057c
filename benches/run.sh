#!/usr/bin/env bash
# Measures `hookport dev` with whbench and prints a Markdown table. See README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

port=${PORT:-8090}
sink_port=${SINK_PORT:-9177}
ceiling_port=${CEILING_PORT:-9200}
whbench_dir=${WHBENCH_DIR:-../shared/whbench}

runs=${RUNS:-3}
accept_count=10000 one_count=5000 ten_count=1000 rated_count=4000 ceiling_count=100000
max_seconds=60 drain_seconds=60 limit_seconds=600
case "${1:-}" in
  "") ;;
  --quick)
    runs=1 accept_count=1000 one_count=500 ten_count=100 rated_count=1000 ceiling_count=20000
    max_seconds=15 drain_seconds=20 limit_seconds=120
    ;;
  *)
    echo "usage: benches/run.sh [--quick]" >&2
    exit 2
    ;;
esac

if [[ ! -f $whbench_dir/Cargo.toml ]]; then
  echo "no whbench in $whbench_dir: set WHBENCH_DIR to its source" >&2
  exit 2
fi

# The source may be read-only. Times are kept, so that cargo rebuilds only what has changed.
mkdir -p target/whbench
cp -Rp "$whbench_dir/." target/whbench/
chmod -R u+w target/whbench
cargo build --release --manifest-path target/whbench/Cargo.toml --target-dir target/whbench-build
cargo build --release -p hookport-cli --target-dir target
whbench=$PWD/target/whbench-build/release/whbench
hookport=$PWD/target/release/hookport

out=target/bench/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$out"
# On the disk of the checkout: /tmp is often memory, and would make `--data` look free.
work=$(mktemp -d "$PWD/target/bench/work.XXXXXX")
server='' load=''
failed=()

stop() {
  local pid=$1
  [[ -n $pid ]] || return 0
  kill "$pid" 2>/dev/null || true
  for _ in {1..100}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

cleanup() {
  stop "$load"
  stop "$server"
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start_gateway [--data DIR]: sets server, base_url, token and tenant.
start_gateway() {
  local line='' fields
  : >"$work/ready"
  "$hookport" dev --port "$port" --quiet --print-json --trust-target 127.0.0.1 "$@" >"$work/ready" 2>>"$out/gateway.log" &
  server=$!
  for _ in {1..300}; do
    # `read` succeeds only when the line has its end.
    if IFS= read -r line <"$work/ready"; then break; fi
    line=''
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  if [[ -z $line ]]; then
    echo "hookport dev did not come up; see $out/gateway.log" >&2
    return 1
  fi
  fields=$(python3 -c 'import json, sys
ready = json.loads(sys.argv[1])
print(ready["base_url"], ready["admin_token"], ready["tenant"])' "$line") || return 1
  read -r base_url token tenant <<<"$fields"
}

# measure LABEL CONFIG [--set KEY=VALUE]...: one bounded call of whbench against the process `server`.
measure() {
  local label=$1 config=$2
  shift 2
  # In the background, because a trap waits for a command in the foreground, but not for `wait`.
  timeout --kill-after=10 "$limit_seconds" "$whbench" run "benches/configs/$config.toml" \
    --runs "$runs" --proc "server=$server" --out "$out/results.jsonl" \
    --set "name=$label" --set "load.max_seconds=$max_seconds" "$@" &
  load=$!
  local status=0
  wait "$load" || status=$?
  load=''
  return "$status"
}

# ceiling BYTES
ceiling() {
  local bytes=$1
  "$whbench" ceiling --port "$ceiling_port" --mode hmac --secret bench-secret-0123456789 >>"$out/ceiling.log" 2>&1 &
  server=$!
  # A stranger on the port would answer too: ours must still be there after the answer.
  if ! { "$whbench" waitport --port "$ceiling_port" --timeout 10 >/dev/null && kill -0 "$server" &&
    measure ceiling ceiling --set "vars.CEILING_PORT=$ceiling_port" --set "load.payload_bytes=$bytes" \
      --set "load.count=$ceiling_count" --set "load.warmup=$((ceiling_count / 10))"; }; then
    failed+=("ceiling, $bytes B")
  fi
  stop "$server"
  server=''
}

# bench LABEL CONFIG STORE BYTES COUNT [--set KEY=VALUE]...: a gateway of its own for each case, so that none inherits
# the backlog, the caches or the files of another.
bench() {
  local label=$1 config=$2 store=$3 bytes=$4 count=$5
  shift 5
  local data=()
  if [[ $store == data ]]; then
    rm -rf "$work/data"
    mkdir "$work/data"
    data=(--data "$work/data")
  fi
  if ! { start_gateway "${data[@]}" &&
    measure "$label, $store" "$config" --set "vars.BASE_URL=$base_url" --set "vars.TENANT=$tenant" \
      --set "vars.TOKEN=$token" --set "load.payload_bytes=$bytes" --set "load.count=$count" \
      --set "load.warmup=$((count / 10))" "$@" &&
    { [[ $config != keyed ]] || python3 benches/check_keyed.py "$base_url" "$token"; }; }; then
    failed+=("$label, $store, $bytes B")
  fi
  stop "$server"
  server=''
}

sink=(--set "sink.port=$sink_port" --set "vars.SINK_PORT=$sink_port" --set "sink.drain_timeout_s=$drain_seconds")
one=("${sink[@]}" --set vars.TARGETS=1 --set sink.expect_per_message=1)
ten=("${sink[@]}" --set vars.TARGETS=10 --set sink.expect_per_message=10)

for bytes in 1024 20480; do
  ceiling "$bytes"
done
for store in memory data; do
  for bytes in 1024 20480; do
    bench "accept only" accept "$store" "$bytes" "$accept_count"
    bench "one target" deliver "$store" "$bytes" "$one_count" "${one[@]}"
    bench "ten targets" deliver "$store" "$bytes" "$ten_count" "${ten[@]}"
  done
  bench "one target, keyed" keyed "$store" 1024 "$one_count" "${one[@]}"
  bench "one target, 200/s" deliver "$store" 1024 "$rated_count" "${one[@]}" --set load.rate=200
done

{
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u | paste -sd ',' -)
  echo "$(date -u +%Y-%m-%d), commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(rustc --version)," \
    "Linux $(uname -r), $(nproc) cores (${cpu:-model unknown}), \`--data\` on $(stat -f -c %T "$work"), $runs run(s) a row."
  echo
  python3 benches/table.py "$out/results.jsonl" || echo "No figures."
  if ((${#failed[@]})); then
    echo
    printf -- '- **failed, figures absent or not to be used:** %s\n' "${failed[@]}"
  fi
} | tee "$out/table.md"
echo "written: $out/table.md, $out/results.jsonl" >&2
((${#failed[@]} == 0))
