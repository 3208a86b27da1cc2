#!/bin/sh
# A worker in shell:  parti run -c orders.ini -- ./worker.sh
#
# Event lines come on standard input, one JSON object a line.  What a worker must do:
# start on what `assigned` lists, stop on what `revoking` lists, and say so with
# {"released": EPOCH} on standard output when it has stopped.  All its other output passes
# through.  The end of standard input means: stop at once.  What it leaves running when it
# ends, parti ends.
#
# Here each partition gets a process of its own, which stands for real work.
set -u

held='' # lines "PID ID"

work_on() { # ID TOKEN
    echo "begin $1 with token $2"
    # In its place: a program that handles partition ID and puts TOKEN on all it writes,
    # so that whoever stores it can refuse a token lower than the highest seen.
    exec tail -f /dev/null
}

begin() { # ID TOKEN
    work_on "$1" "$2" &
    held="$held$! $1
"
}

end() { # ID
    kept=''
    while read -r pid id; do
        if [ "$id" = "$1" ]; then
            kill "$pid"
            wait "$pid" 2>/dev/null # only when it has ended has it stopped
            echo "end $id"
        elif [ -n "$pid" ]; then
            kept="$kept$pid $id
"
        fi
    done <<END
$held
END
    held=$kept
}

# "TOKEN ID" of each partition of an event line, '"' and '\' in an id still escaped.
partitions() {
    printf '%s\n' "$1" | awk '{
        while (match($0, /"id":"([^"\\]|\\.)*"/)) {
            id = substr($0, RSTART + 6, RLENGTH - 7)
            $0 = substr($0, RSTART + RLENGTH)
            match($0, /"token":"[0-9-]*"/)
            print substr($0, RSTART + 9, RLENGTH - 10), id
        }
    }'
}

while read -r line; do
    case $line in
    *'"event":"assigned"'*)
        while read -r token id; do
            begin "$id" "$token"
        done <<END
$(partitions "$line")
END
        ;;
    *'"event":"revoking"'*)
        while read -r token id; do
            end "$id"
        done <<END
$(partitions "$line")
END
        epoch=${line#*'"epoch":'}
        echo "{\"released\": ${epoch%%,*}}"
        ;;
    *'"event":"fenced"'*)
        exit 1 # everything is lost: what still runs is killed at the line's boot_ns
        ;;
    esac
done
