#!/bin/sh
# The frozen header of the present minor is the present header, word for word, and each
# released minor has its layout file; so no change can pass without a new minor.
set -eu
cd "$PARTI_SRCDIR/sdk"
minor=$(sed -n 's/^#define PARTI_ABI_MINOR \([0-9]*\)u$/\1/p' parti_plugin.h)
[ -n "$minor" ] || { echo "abi.sh: no PARTI_ABI_MINOR"; exit 1; }
i=0
while [ "$i" -le "$minor" ]; do
    for file in "abi/v1_$i.c" "abi/1.$i/parti_plugin.h"; do
        [ -s "$file" ] || { echo "abi.sh: sdk/$file is missing"; exit 1; }
    done
    grep -q "^ \*   1\.$i  20[0-9-]*  " parti_plugin.h || {
        echo "abi.sh: the log at the end of parti_plugin.h lacks 1.$i"
        exit 1
    }
    i=$((i + 1))
done
if ! cmp parti_plugin.h "abi/1.$minor/parti_plugin.h"; then
    echo "abi.sh: parti_plugin.h differs from what is frozen as 1.$minor. A change needs a"
    echo "new PARTI_ABI_MINOR, abi/v1_N.c, abi/1.N/parti_plugin.h and a line in the log."
    exit 1
fi
grep -q "^abi_minor=$minor\$" parti-plugin.pc.in || {
    echo "abi.sh: parti-plugin.pc.in names another minor"
    exit 1
}
echo "ABI 1.$minor is frozen"
