#!/bin/sh
# The short search of the models as one test of `make check`; skipped in words without spin.
exec "$(dirname "$0")/run.sh" check
