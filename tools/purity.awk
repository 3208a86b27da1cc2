# Who may include what, and that core/ names no plugin.  Needs -f clex.awk, and
# -v allow=FILE, -v plugins="NAMES", -v ours="HEADERS"; runs in the source folder.
# Prints file:line: what.

function finding(what)
{
    print FILENAME ":" FNR ": " what
}

BEGIN {
    # What may stand between quotes, by the folder of the file that includes.
    quoted["core/base"] = "^base/"
    quoted["core/proto"] = "^(base|proto)/"
    quoted["core/consume"] = "^(base|consume)/"
    quoted["core/edge"] = "^(base|proto|edge)/"
    quoted["core/host"] = "^((base|proto|consume|edge|host)/|parti\\.h$|" \
        "parti_(plugin|consumer|connection|fits)\\.h$)"
    quoted["core/cli"] = "^((base|proto|consume|edge|host|cli)/|parti\\.h$)"
    quoted["plugins"] = "^(parti_(plugin|consumer|connection|fits)\\.h$|plugins/)"

    # The pure folders.
    is_pure = "^core/(proto|consume)$"
    # Between angles they see the quiet part of C.  What it may call is nm's business.
    pure = "^(stdarg|stdbool|stdint|stddef|string|stdio|inttypes|limits|assert)\\.h$"
    # base adds the rest of C and the hash; no system, no library.
    plain = "^(stdbool|stdint|stddef|string|stdio|inttypes|limits|assert|stdlib|stdarg|" \
        "ctype|errno|stdalign|stdnoreturn|xxhash)\\.h$"

    for (i = 1; (getline rule < allow) > 0; i++) {
        split(rule, part, " ")
        if (part[1] == "plugin")
            allowed[part[2], part[3]] = i
    }
    close(allow)
    plugin_n = split(plugins, plugin, " ")
    n = split(ours, header, " ")
    for (i = 1; i <= n; i++) {
        name = header[i]
        sub(/^(core|sdk)\//, "", name)
        is_ours[name] = 1
    }
}

FNR == 1 {
    lex_reset()
    folder = FILENAME
    if (folder ~ /^core\/[^\/]*\//)
        folder = "core/" substr(folder, 6, index(substr(folder, 6), "/") - 1)
    else
        sub(/\/.*/, "", folder)
    short = folder
    sub(/^core\//, "", short)
}

{
    code = strip($0)
}

code ~ /^[ ]*#[ ]*include/ {
    if (match($0, /<[^>]*>/)) {
        name = substr($0, RSTART + 1, RLENGTH - 2)
        if (!(name in is_ours)) {
            if (folder ~ is_pure && name !~ pure)
                finding(short " may not include <" name ">")
            if (folder == "core/base" && name !~ plain)
                finding("base may not include <" name ">")
            if (folder == "core/cli" && name ~ /^nats/)
                finding("cli may not include <" name ">: only edge talks to NATS")
            if (folder == "core/host" && name ~ /^nats/)
                finding("host may not include <" name ">: only edge talks to NATS")
            next
        }
    } else if (literals == 1) {
        name = literal[1]
    } else {
        finding("an include that names no file")
        next
    }
    if (folder in quoted && name !~ quoted[folder]) {
        sibling = FILENAME
        sub(/[^\/]*$/, "", sibling)
        sibling = sibling name
        if (folder == "plugins" && sibling in is_ours)
            next
        if (name == "config.h" && folder ~ /^core\/(edge|host|cli)$/)
            next
        finding(folder " may not include \"" name "\"")
    }
    next
}

folder ~ is_pure && code ~ /(^|[^A-Za-z0-9_])(float|double)([^A-Za-z0-9_]|$)/ {
    finding("no floating point in " short ": it differs between machines")
}

# A plugin is named where a whole string is its name, or a piece of configuration sets
# it.  Words of English and of NATS among the names make anything looser useless.
folder ~ /^core/ {
    for (i = 1; i <= literals; i++)
        for (k = 1; k <= plugin_n; k++) {
            text = literal[i]
            name = plugin[k]
            if (text == name || text ~ ("plugin *= *" name "([^a-z_]|$)") ||
                (name ~ /_/ && index(text, name) > 0) ||
                text ~ ("(^|/)" name "\\.so$")) {
                if ((FILENAME, name) in allowed)
                    used[FILENAME, name] = 1
                else
                    finding("core names the plugin " name)
            }
        }
}

END {
    for (key in allowed)
        if (!(key in used)) {
            split(key, part, SUBSEP)
            # A plugin that this tree does not have yet cannot be missed.
            if (index(" " plugins " ", " " part[2] " ") == 0)
                continue
            print allow ":" allowed[key] ": " part[1] " no longer names " part[2]
        }
}
