#!/usr/bin/env bash
# A cluster to play with: starts N swimd on this machine, shows what they log, stops them on Ctrl-C.
# This is what `make cluster` runs; `tools/cluster.sh --help` says the rest.
set -u -o pipefail

readonly nodes_max=100
readonly start_seconds=10 # until every node must answer over HTTP
readonly stop_seconds=10  # until a node that was asked to leave is killed

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
swimd=${SWIMD:-$root/build/swimd}
port=${PORT:-7000}
metrics_port=${METRICS_PORT:-9100}

usage() {
    cat <<EOT
usage: tools/cluster.sh [N] [-- ARGUMENT...]         (or: make cluster N=5)

Starts N (1 to $nodes_max, default \$N or 3) swimd on 127.0.0.1, UDP ports from \$PORT (7000) and
HTTP ports from \$METRICS_PORT (9100). Each gets the ARGUMENTs, too. Ctrl-C stops them all
gracefully.
\$SWIMD names another binary than build/swimd; NO_COLOR=1 turns colours off.
EOT
}

die() { # exit code, message...
    local code=$1
    shift
    printf 'cluster: %s\n' "$@" >&2
    exit "$code"
}

say() { printf '%s\n' "$@"; }

is_number() { # text, lowest, highest
    [[ $1 =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= $2 && 10#$1 <= $3))
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
esac
n=${N:-3}
if [ $# -gt 0 ] && [ "$1" != -- ]; then
    n=$1
    shift
fi
if [ "${1-}" = -- ]; then
    shift
elif [ $# -gt 0 ]; then
    usage >&2
    exit 2
fi
more=("$@") # arguments of every node
is_number "$n" 1 $nodes_max ||
    die 2 "N must be a number from 1 to $nodes_max, not '$n'" "usage: tools/cluster.sh [N]"
n=$((10#$n))
is_number "$port" 1 $((65536 - n)) ||
    die 2 "PORT must be a number from 1 to $((65536 - n)), not '$port'"
is_number "$metrics_port" 1 $((65536 - n)) ||
    die 2 "METRICS_PORT must be a number from 1 to $((65536 - n)), not '$metrics_port'"
port=$((10#$port)) metrics_port=$((10#$metrics_port))
[ -x "$swimd" ] || die 1 "$swimd is not there: build it first (make)"

# ---- Ports -------------------------------------------------------------------------------------

# Is the port taken for 127.0.0.1? By what the kernel lists; in TCP only listeners (state 0A) count.
is_taken() { # udp|tcp, port
    local hex files=() table
    hex=$(printf '%04X' "$2")
    for table in "/proc/net/$1" "/proc/net/${1}6"; do
        [ -r "$table" ] && files+=("$table")
    done
    [ ${#files[@]} -gt 0 ] || return 1
    awk -v port=":$hex" -v tcp="$([ "$1" = tcp ] && echo 1 || echo 0)" '
        { split($2, local, ":") }
        ":" local[2] == port && (!tcp || $4 == "0A") &&
            (local[1] ~ /^0+$/ || local[1] == "0100007F" || local[1] == "7F000001") { found = 1 }
        END { exit !found }' "${files[@]}"
}

port_advice() {
    local other="PORT=$((port + 100)) METRICS_PORT=$((metrics_port + 100))"
    say "cluster: is another cluster running? Stop it, or choose other ports:" \
        "cluster:     make cluster N=$n $other" >&2
}

check_ports() {
    local i taken=0
    for ((i = 0; i < n; i++)); do
        if is_taken udp $((port + i)); then
            say "cluster: UDP port $((port + i)) is taken (node$((i + 1)) would listen there)" >&2
            taken=1
        fi
        if is_taken tcp $((metrics_port + i)); then
            say "cluster: TCP port $((metrics_port + i)) is taken (node$((i + 1))'s HTTP)" >&2
            taken=1
        fi
    done
    [ $taken -eq 0 ] || { port_advice; exit 4; }
}

# ---- Processes ---------------------------------------------------------------------------------

pids=()    # of node i+1; empty once it has ended
codes=()   # exit code of node i+1, as the shell reports it
filters=() # the processes that prefix the log lines
count=0    # nodes that run, as of the last reap
stopping=0
sockets='' # the folder of their control sockets; empty: they have none

exec 9<> <(:) # nothing ever arrives here: a pause that starts no process
pause() { read -r -t 0.2 -u 9 _ || :; }

prefix() { # node number: copies standard input, each line with the node's name before it
    local on='' off=''
    if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
        on=$(printf '\033[%dm' $((31 + ($1 - 1) % 6)))
        off=$(printf '\033[0m')
    fi
    # Must outlive the node and say its last words: it ends with its input, not by a signal.
    trap '' INT TERM HUP
    exec sed -u "s/^/${on}node$1 |${off} /"
}

# Own sessions, so that Ctrl-C reaches this script only, and each node is told once;
# and should this script be killed, the kernel tells them.
launcher=(setsid)
if setpriv --pdeathsig TERM true 2>/dev/null; then
    launcher=(setpriv --pdeathsig TERM setsid)
fi

start_node() { # node number
    local i=$1 out seeds='' arguments
    arguments=(--bind "127.0.0.1:$((port + i - 1))" --metrics-port $((metrics_port + i - 1))
               --name "node$i")
    [ "$i" -ge 2 ] && seeds=127.0.0.1:$port
    [ "$i" -ge 3 ] && seeds=$seeds,127.0.0.1:$((port + 1))
    [ -n "$seeds" ] && arguments+=(--peers "$seeds")
    [ -n "$sockets" ] && arguments+=(--control-socket "$sockets/node$i.sock")
    arguments+=("${more[@]}")
    exec {out}> >(exec 9>&-; prefix "$i")
    filters+=($!)
    "${launcher[@]}" "$swimd" "${arguments[@]}" </dev/null >&"$out" 2>&1 9>&- {out}>&- &
    pids+=($!)
    codes+=('')
    exec {out}>&-
}

is_running() { kill -0 "$1" 2>/dev/null; }

reap() { # counts the nodes that run, and notes the exit codes of those that have ended
    local i
    count=0
    for i in "${!pids[@]}"; do
        [ -n "${pids[i]}" ] || continue
        if is_running "${pids[i]}"; then
            count=$((count + 1))
            continue
        fi
        wait "${pids[i]}" 2>/dev/null
        codes[i]=$?
        pids[i]=
        [ $stopping -eq 1 ] || say "cluster: node$((i + 1)) has ended: $(describe "${codes[i]}")"
    done
}

describe() { # exit code
    if [ "$1" -gt 128 ]; then
        say "killed by SIG$(kill -l "$1" 2>/dev/null || say "? ($1)")"
    else
        say "exit code $1"
    fi
}

# One stopped by SIGSTOP hears nothing until it is told to go on. The others are not: who is just now
# ending under a leak checker, which stops its threads to look at them, would never come to its end.
is_stopped() {
    local state
    { read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null && [ "$state" = T ]
}

# Asks every node that still runs to leave, and waits until it has; kills what does not.
finish() {
    local i pid alive=()
    stopping=1
    for pid in "${pids[@]}"; do
        [ -n "$pid" ] && is_running "$pid" && alive+=("$pid")
    done
    if [ ${#alive[@]} -gt 0 ]; then
        say "cluster: stopping ${#alive[@]} nodes"
        kill -TERM "${alive[@]}" 2>/dev/null
        for pid in "${alive[@]}"; do
            is_stopped "$pid" && kill -CONT "$pid" 2>/dev/null
        done
        for ((i = 0; i < stop_seconds * 5; i++)); do
            reap
            [ "$count" -gt 0 ] || break
            pause
        done
        for pid in "${pids[@]}"; do
            [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
        done
        while reap; [ "$count" -gt 0 ]; do
            pause
        done
    fi
    [ -z "$sockets" ] || rm -rf "$sockets"
    for ((i = 0; i < 10; i++)); do # their last lines
        for pid in "${filters[@]}"; do
            is_running "$pid" && { pause; continue 2; }
        done
        break
    done
}

# The nodes' control sockets, for swimctl. The path of a socket must not be long.
sockets=$(mktemp -d "${TMPDIR:-/tmp}/swim-cluster.XXXXXX") || sockets=
if [ ${#sockets} -gt 80 ]; then
    rmdir "$sockets"
    sockets=
fi

trap stopping=1 INT TERM HUP
trap finish EXIT

# ---- Start -------------------------------------------------------------------------------------

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits until node $1 listens. A node that ends before that was refused something.
await_node() {
    local i=$1 end=$((SECONDS + start_seconds)) http=$((metrics_port + $1 - 1))
    while [ $stopping -eq 0 ]; do
        reap
        if [ -z "${pids[i - 1]}" ]; then
            local code=${codes[i - 1]}
            # Between the look at the ports and the start somebody else can have been faster.
            [ "$code" -ne 4 ] || port_advice
            [ "$code" -ne 0 ] || code=1
            exit "$code"
        fi
        answers "$http" && return
        [ $SECONDS -lt $end ] || die 1 "node$i does not answer on TCP port $http"
        pause
    done
}

readonly url="http://127.0.0.1:%d/membership"

check_ports
for ((i = 1; i <= n && stopping == 0; i++)); do
    start_node "$i"
done
for ((i = 1; i <= n; i++)); do
    [ $stopping -eq 1 ] || await_node "$i"
done

if [ $stopping -eq 0 ]; then
    say '' "cluster: $n nodes are running. Look at one:"
    for ((i = 1; i <= n; i++)); do
        # No subshell here: bash forgets a SIGINT that comes while it waits for one.
        printf "cluster:   node%d  pid %d  udp 127.0.0.1:%d  $url\n" "$i" "${pids[i - 1]}" \
            $((port + i - 1)) $((metrics_port + i - 1))
    done
    say "cluster: also / (the live page, in a browser), /events, /metrics, /healthz and /readyz." \
        "cluster: Try, from another terminal:" \
        "cluster:   kill -9 ${pids[n - 1]}      node$n crashes: the others say dead after some seconds" \
        "cluster:   kill -TERM ${pids[n - 1]}   node$n leaves: the others say left at once" \
        "cluster:   curl -s ${url/\%d/$metrics_port}"
    swimctl=${swimd%swimd}swimctl
    [ -z "$sockets" ] ||
        say "cluster:   ${swimctl#"$PWD/"} --socket $sockets/node1.sock top"
    say "cluster: Ctrl-C stops them all." ''
fi

while reap; [ $count -gt 0 ] && [ $stopping -eq 0 ]; do
    pause
done
[ $stopping -eq 1 ] || say 'cluster: no node is left'
finish
trap - EXIT

# ---- How it went -------------------------------------------------------------------------------

result=0
for i in "${!codes[@]}"; do
    say "cluster: node$((i + 1)): $(describe "${codes[i]}")"
    case ${codes[i]} in
    0 | 137 | 143 | 130) ;; # left, or was killed, as proposed above
    *) result=1 ;;
    esac
done
exit $result
