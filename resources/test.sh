#!/bin/sh
# Runs the tests: all of them as two halves side by side, each with a display of its own, or those that are named.
set -u
cd "$(dirname "$0")/.."
half() { xvfb-run -a -s "-screen 0 1920x1080x24" .venv/bin/python -m pytest "$@"; }
[ $# -eq 0 ] || { half "$@"; exit $?; }
log=$(mktemp)
half tests/nodes >"$log" 2>&1 &
nodes=$!
trap 'kill $nodes 2>/dev/null; rm -f "$log"' EXIT INT TERM
half tests --ignore=tests/nodes
rest=$?
printf '\nThe tests of the nodes:\n'
wait $nodes
first=$?
cat "$log"
[ $rest -eq 0 ] && [ $first -eq 0 ]
