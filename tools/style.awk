# C files, one after the other: the rules of house.md that clang-format cannot see.
# Needs -f clex.awk and -v allow=FILE.  Prints file:line: what.  Paths are relative to
# the source folder, so it runs there.

function finding(line, what)
{
    print FILENAME ":" line ": " what
}

BEGIN {
    n = split(heads, head, " ")
    for (i = 1; i <= n; i++)
        headers[head[i]] = 1
    banned["sprintf"] = "writes without a limit: snprintf"
    banned["vsprintf"] = "writes without a limit: vsnprintf"
    banned["strcpy"] = "copies without a limit: bytes_to_text or memcpy"
    banned["strcat"] = "appends without a limit: snprintf"
    banned["gets"] = "reads without a limit: fgets"
    banned["strtok"] = "keeps hidden state: strcspn or strtok_r"
    banned["atoi"] = "hides errors: strtol with its end checked"
    banned["atol"] = "hides errors: strtol with its end checked"
    banned["alloca"] = "takes stack without a limit"
    banned["system"] = "starts a shell: posix_spawn or fork and exec"
    banned["popen"] = "starts a shell: posix_spawn or fork and exec"
    banned["tmpnam"] = "races: mkstemp"
    banned["mktemp"] = "races: mkstemp"
    banned["rand"] = "is not ours to repeat: base/rand.h"
    banned["srand"] = "is not ours to repeat: base/rand.h"
    banned["sleep"] = "waits for no event: poll with a deadline"
    banned["usleep"] = "waits for no event: poll with a deadline"
    banned["nanosleep"] = "waits for no event: poll with a deadline"
    banned["clock_nanosleep"] = "waits for no event: poll with a deadline"
    banned["signal"] = "differs between systems: sigaction"
    for (i = 1; (getline rule < allow) > 0; i++) {
        split(rule, part, " ")
        if (part[1] == "call")
            allowed[part[2], part[3]] = i
    }
    close(allow)
}

function end_of_file()
{
    if (name == "")
        return
    if (name ~ /\.h$/) {
        if (guard == "")
            print name ":1: no header guard (#ifndef, #define)"
        else if (last !~ /^#[ ]*endif/)
            print name ":" lines ": the header guard does not end the file"
        else if (name ~ /^sdk\/abi\//)
            return # a header frozen as it was
        else if (guard in guard_of)
            print name ":1: the guard " guard " is also that of " guard_of[guard]
        else
            guard_of[guard] = name
    }
}

FNR == 1 {
    end_of_file()
    name = FILENAME
    guard = ""
    directives = 0
    last = ""
    lex_reset()
    # A header opens with what it is; so does a source under core/ without a header.
    if (name ~ /^(core|sdk|plugins)\//) {
        header = name
        sub(/\.c$/, ".h", header)
        if ((name ~ /\.h$/ || !(header in headers)) && $0 !~ /^\/\*/)
            finding(1, "does not open with a comment that says what it is")
    }
}

{
    lines = FNR
    code = strip($0)
    if (has_slashes)
        finding(FNR, "// comment: /* */")
    if (code ~ /[^ ]/)
        last = code
    if (code ~ /^[ ]*#/) {
        directives++
        split(code, word, " ")
        if (directives == 1 && code ~ /^#ifndef /)
            wanted = word[2]
        if (directives == 2 && code ~ /^#define / && word[2] == wanted)
            guard = wanted
    }
    rest = code
    while (match(rest, /[A-Za-z_][A-Za-z_0-9]*[ ]*\(/)) {
        call = substr(rest, RSTART, RLENGTH - 1)
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        rest = substr(rest, RSTART + RLENGTH)
        sub(/[ ]+$/, "", call)
        if (!(call in banned) || before == "." || before == ">")
            continue
        if ((name, call) in allowed)
            used[name, call] = 1
        else
            finding(FNR, call "() " banned[call])
    }
}

END {
    end_of_file()
    for (key in allowed)
        if (!(key in used)) {
            split(key, part, SUBSEP)
            print allow ":" allowed[key] ": " part[1] " no longer calls " part[2]
        }
}
