#!/usr/bin/env bash
# run-cluster.sh [--key]: three members on this machine, UDP ports 7000-7002, HTTP ports 9100-9102,
# which is where prometheus.yml looks for them. Ctrl-C stops them all. With --key their datagrams
# are sealed, with a key that is made for this run and forgotten after it.
set -eu -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
swimd=${SWIMD:-$root/build/swimd}

usage() {
    cat <<EOT
usage: run-cluster.sh [--key]

Starts three swimd on 127.0.0.1: UDP ports 7000-7002, HTTP ports 9100-9102. Ctrl-C stops them all.

  --key       seal their datagrams with a fresh key
  -h, --help  this text

\$SWIMD names another binary than build/swimd.
EOT
}

has_key=
for argument in "$@"; do
    case $argument in
    --key) has_key=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        echo "run-cluster: unknown argument '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done
if [ ! -x "$swimd" ]; then
    [ -z "${SWIMD-}" ] || { echo "run-cluster: $swimd is not there" >&2; exit 1; }
    "$root/tools/setup" build
    make --no-print-directory -C "$root"
fi

export SWIMD=$swimd PORT=7000 METRICS_PORT=9100
if [ -z "$has_key" ]; then
    exec "$root/tools/cluster.sh" 3
fi

umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
launcher=()
if setpriv --pdeathsig TERM true 2>/dev/null; then
    launcher=(setpriv --pdeathsig TERM) # should this script be killed, the kernel tells the cluster
fi
stopping=
trap stopping=1 INT TERM HUP # the cluster has things to finish first
"$swimd" --generate-key >"$folder/key"
[ -z "$stopping" ] || exit 0
"${launcher[@]}" "$root/tools/cluster.sh" 3 -- --cluster-key-file "$folder/key" &
cluster=$!
code=0
# A signal interrupts the wait: the one for the cluster's end follows.
wait "$cluster" || code=$?
if kill -0 "$cluster" 2>/dev/null; then
    kill -TERM "$cluster" 2>/dev/null || :
    code=0
    wait "$cluster" || code=$?
fi
exit "$code"
