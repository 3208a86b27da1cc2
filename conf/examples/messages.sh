#!/bin/sh
# Handles messages that are numbers, each a text like 20.3 (a reading, an amount):
#
#   parti run -c telemetry-jetstream.ini -- ./messages.sh
#
# Event lines come on standard input, one JSON object a line.  What such a worker must do:
# answer each `message` by its number, {"ack":17} when it is done, and answer `revoking`
# with {"released": EPOCH}.  All its other output passes through.  The end of standard
# input means: stop at once.
#
# A partition's next message comes when the one before is answered, those of other
# partitions come meanwhile.  This worker takes one after the other; `children = 4` in
# [consume] runs four of them, each with its own partitions.
set -u

# The value of a key of $line, as JSON has it: quotes and backslashes within a text stay
# escaped, so that what is searched for stands nowhere but at its key.
number() { # KEY
    value=${line#*"\"$1\":"}
    value=${value%%[!0-9]*}
}
text() { # KEY
    value=${line#*"\"$1\":\""}
    value=${value%%'"'*} # ends early at an escaped quote, which no number has
}

# Returns 0 when it is done; 1: not now; 2: it never will be.
handle() { # PARTITION POSITION TOKEN DATA
    case $4 in
    '' | *[!0-9.-]*) return 2 ;;
    esac
    # In its place: write it somewhere.  Whoever stores it can refuse a token lower than
    # the highest seen for this partition, and a position it has already.
    echo "handled $1 $2 $3 $4" || return 1
}

while IFS= read -r line; do
    case $line in
    '{"event":"message",'*)
        number n && n=$value
        number position && position=$value
        text partition && partition=$value
        text token && token=$value
        case $line in
        *',"data":"'*) text data ;;
        *) value= ;; # data_base64: it is no text
        esac
        handle "$partition" "$position" "$token" "$value"
        case $? in
        0) echo "{\"ack\":$n}" ;;
        1) echo "{\"nak\":$n}" ;;  # again, after a pause that grows
        *) echo "{\"term\":$n}" ;; # to dead_letter
        esac
        ;;
    *'"event":"revoking"'*)
        # Nothing is under way here: what was given before this line is answered.
        number epoch
        echo "{\"released\": $value}"
        ;;
    *'"event":"fenced"'*)
        exit 1 # everything is lost: what still runs is killed at the line's boot_ns
        ;;
    esac
done
