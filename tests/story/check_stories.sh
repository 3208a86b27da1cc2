#!/bin/sh
# Every story is told as it is written.
set -eu

exec "${PARTI_BUILDDIR:-.}/tests/story/story" "${PARTI_SRCDIR:-.}"/tests/story/*.story
