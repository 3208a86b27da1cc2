# The keys of parti.ini(5) as troff, from what `parti config keys` prints:
#   parti config keys | awk -f man/keys.awk
# stands in the page between its two marks; tests/cli/man.sh compares.
function troff(text)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    return text
}

/^\[/ {
    print ".SS " troff($0)
    next
}

# "  name (type limits; default x)"
/^  [a-z]/ {
    print ".TP"
    print "\\fB" $1 "\\fR " troff(substr($0, index($0, "(")))
    next
}

/^      / {
    sub(/^ */, "")
    gsub(/[.] /, ".\n") # a sentence a line, as troff likes it
    print troff($0)
}
