# Runs a server as long as it has users, and some seconds longer.
#
#   sh watchdog.sh DIRECTORY SOCKETS GRACE SIGNAL PROGRAM [ARGUMENT..]
#
# Standard input is the lock file `alive`, locked. All processes started here have it open: once another
# process can lock it, they all have ended.
# Every user has the pipe `users` open for writing. When the last user has ended, also by `kill -9`, the
# keeper reads end of file, removes `endpoint` and checks once more: a user that came meanwhile either
# has the pipe open, which is noticed here, or has found no endpoint.
# Four processes outlive this one, and the end of any of them stops the server. The keeper and the
# guard do that for each other, the keeper for the two that wait for the server's end. If all are killed
# at once, the system stops it, on Linux with util-linux; elsewhere it runs until the next user comes.

directory=$1 sockets=$2 grace=$3 signal=$4
shift 4
known=
cd "$directory" || exit 1
exec 9<&0 </dev/null >/dev/null 2>>watch.log
exec 3<&- 5<&- 6<&- 7<&- 8<&-
# Ctrl-C and the end of the terminal are for the tests.
trap '' HUP INT QUIT TSTP TTIN TTOU

rm -f users server.pid
mkfifo -m 600 users || exit 1
# Open for reading from here on, so that users can open it for writing at once.
exec 4<>users || exit 1

# Waits for the server, which dies with this process where the system can do that.
serve() {
    exec 3<&-
    # MariaDB can miss a gentler signal while it starts.
    if setpriv --pdeathsig KILL true 2>/dev/null; then
        set -- setpriv --pdeathsig KILL "$@"
    fi
    # `server.pid` is there before the server runs.
    sh -c 'echo $$ >server.pid.new && mv server.pid.new server.pid && exec "$@"' \
        sh "$@" >>server.log 2>&1 &
    wait $!
}

# Tells the keeper when the server has ended, or the process that waits for it was killed.
herald() {
    # Not at the call: the shell would keep the old ones open.
    exec >/dev/null 3<&-
    # Nothing is ever written.
    cat
    # Opened for both, so that this does not wait if there is no reader.
    echo ended 1<>users
}

stop() {
    rm -f endpoint endpoint.off
    pid=$(cat server.pid 2>/dev/null) || pid=$known
    if [ -n "$pid" ]; then
        kill -s "$signal" "$pid" 2>/dev/null
        tries=0
        while [ "$tries" -lt 200 ] && kill -s 0 "$pid" 2>/dev/null; do
            tries=$((tries + 1))
            [ "$tries" -ne 100 ] || kill -s KILL "$pid" 2>/dev/null
            sleep 0.1
        done
        rm -f server.pid
    fi
    # They are elsewhere if the path of the directory is too long. Then no other process removes them.
    case $sockets in
    "$directory"/*) ;;
    *) rm -rf "$sockets" ;;
    esac
}

# Whether a line or end of file comes from `users` soon; `answer` then holds `0` or something else.
answers() {
    tries=0
    while [ "$tries" -lt 10 ]; do
        [ ! -s answer ] || return 0
        tries=$((tries + 1))
        sleep 0.05 3<&-
    done
    return 1
}

# For how many seconds the last run wants the server to run on, if that is longer.
lingering() {
    exec 3<&-
    cat linger 2>/dev/null || echo 0
}

# Until when a person wants the server to run on by all means, in seconds since 1970.
held() {
    exec 3<&-
    cat held 2>/dev/null || echo 0
}

# Whether the server runs, as far as is known: its end would be read only after this wait.
runs() {
    [ -z "$known" ] || kill -s 0 "$known" 2>/dev/null
}

keep() {
    # End of file comes when the last writer has gone, so this process must not be one.
    exec 3<users 4<&-
    serve "$@" | herald &
    # Remembered, because the directory may be removed, as by `cargo clean`.
    tries=0
    until [ -s server.pid ] || [ "$tries" -ge 250 ]; do
        tries=$((tries + 1))
        sleep 0.02 3<&-
    done
    known=$(cat server.pid 2>/dev/null)
    until read -r _ <&3; do
        # Not with the pipe open for reading: a process that has it open looks like a keeper.
        sleep "$grace" 3<&-
        waited=$grace
        while { [ "$waited" -lt "$(lingering)" ] || [ "$(date +%s)" -lt "$(held)" ]; } && [ -p users ] && runs; do
            sleep 1 3<&-
            waited=$((waited + 1))
        done
        # In a directory that was removed, no user can come any more.
        [ -p users ] || break
        [ ! -e endpoint ] || mv endpoint endpoint.off
        rm -f answer
        ( exec 9<&-; read -r _ <&3; echo $? >answer ) >/dev/null &
        if answers; then
            break
        fi
        # A user has come.
        [ ! -e endpoint.off ] || mv endpoint.off endpoint
        wait $!
        [ "$(cat answer)" != 0 ] || break
    done
    stop
}

guard() {
    exec 4<&-
    # Nothing is ever written; this ends when the keeper does.
    cat
    stop
}

# Not in braces: the shell that waits for a pipeline in braces would be a user itself.
keep "$@" | guard &
