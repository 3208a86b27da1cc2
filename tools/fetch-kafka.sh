#!/bin/sh
# Gets Apache Kafka for the tests into a cache folder:  tools/fetch-kafka.sh FOLDER  makes
# FOLDER/VERSION/*.jar, and FOLDER/VERSION/complete when all is there and checked.
# `make check` looks for FOLDER = kafka in the build tree.
#
# Maven reads tests/kafka/pom.xml; every jar must be one of tests/kafka/jars.sha256.  Does
# nothing if all is there already.  `--sums` prints that list anew for another version.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tests=$here/../tests/kafka
version=$(sed -n 's,.*<kafka.version>\(.*\)</kafka.version>.*,\1,p' "$tests/pom.xml")
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1

fail() {
    echo "fetch-kafka: $1" >&2
    exit 1
}

[ $# -ge 1 ] && [ $# -le 2 ] || fail "usage: tools/fetch-kafka.sh FOLDER [--sums]"
folder=$1
to=$folder/$version

if [ -e "$to/complete" ] && [ $# -eq 1 ]; then
    echo "Apache Kafka $version is there: $to"
    exit 0
fi

command -v java >/dev/null || fail "java is not here (apt install default-jre-headless)."
java_version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
[ "${java_version:-0}" -ge 17 ] || fail "Kafka needs Java 17; here is ${java_version:-none}."
command -v mvn >/dev/null || fail "mvn is not here (apt install maven)."

mkdir -p "$folder" || fail "the folder '$folder' cannot be made."
work=$(mktemp -d "$folder/fetch.XXXXXX") || fail "no temporary folder in '$folder'."
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# What Maven keeps for itself goes away again with the temporary folder.
work=$(cd "$work" && pwd)
mvn -B -q -f "$tests/pom.xml" "-Dmaven.repo.local=$work/m2" \
    "$plugin:copy-dependencies" -DincludeScope=runtime \
    "-DoutputDirectory=$work/jars" >"$work/mvn.log" 2>&1 ||
    fail "mvn cannot get Kafka $version: $(grep -m 1 ERROR "$work/mvn.log" || echo '?')"

if [ $# -eq 2 ]; then
    (cd "$work/jars" && sha256sum -- *.jar)
    exit 0
fi
(cd "$work/jars" && sha256sum --check --quiet) <"$tests/jars.sha256" >"$work/sums.log" 2>&1 ||
    fail "a jar has another sha256 than expected: $(head -n 1 "$work/sums.log")"
[ "$(find "$work/jars" -name '*.jar' | wc -l)" -eq "$(wc -l <"$tests/jars.sha256")" ] ||
    fail "there are other jars than those of tests/kafka/jars.sha256."
rm -rf "$to"
mv "$work/jars" "$to"
: >"$to/complete"
echo "Apache Kafka $version: $to"
