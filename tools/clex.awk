# The little that the checks know of C: what is code, what is comment, what is text.
# Used with a second -f: style.awk, purity.awk.  Works in mawk, so no \< and no {n}.
#
# strip(line) returns the code of a line, each string as "" and each character as 0.
# It leaves the strings of the line in literal[1 .. literals], has_slashes says whether
# a // comment stood there, and in_comment carries over to the next line.

function lex_reset()
{
    in_comment = 0
}

function strip(line,    out, at, c, rest)
{
    out = ""
    literals = 0
    has_slashes = 0
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (at == 0)
                return out
            line = substr(line, at + 2)
            in_comment = 0
            out = out " "
            continue
        }
        if (!match(line, /["'\/]/))
            return out line
        out = out substr(line, 1, RSTART - 1)
        c = substr(line, RSTART, 1)
        rest = substr(line, RSTART + 1)
        if (c == "/") {
            if (substr(rest, 1, 1) == "*") {
                in_comment = 1
                line = substr(rest, 2)
            } else if (substr(rest, 1, 1) == "/") {
                has_slashes = 1
                return out
            } else {
                out = out c
                line = rest
            }
        } else if (c == "\"") {
            if (match(rest, /^([^"\\]|\\.)*"/)) {
                literal[++literals] = substr(rest, 1, RLENGTH - 1)
                line = substr(rest, RLENGTH + 1)
            } else {
                literal[++literals] = rest
                line = ""
            }
            out = out "\"\""
        } else {
            if (match(rest, /^(\\.|[^'\\])[^']*'/))
                line = substr(rest, RLENGTH + 1)
            else
                line = rest
            out = out "0"
        }
    }
    return out
}
