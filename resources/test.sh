#!/bin/sh
# Runs the tests: all of them as two halves side by side, each with a display of its own, or those that are named.
# The tests of the nodes are the longer half, so those of picture generation and glTF (test_g*) go with the others.
set -u
cd "$(dirname "$0")/.."
half() { xvfb-run -a -s "-screen 0 1920x1080x24" .venv/bin/python -m pytest "$@"; }
[ $# -eq 0 ] || { half "$@"; exit $?; }
log=$(mktemp)
half tests/nodes --ignore-glob='tests/nodes/test_g*.py' >"$log" 2>&1 &
nodes=$!
trap 'kill $nodes 2>/dev/null; rm -f "$log"' EXIT INT TERM
half tests --ignore-glob='tests/nodes/test_[!g]*.py'
rest=$?
printf '\nThe tests of the nodes:\n'
wait $nodes
first=$?
cat "$log"
[ $rest -eq 0 ] && [ $first -eq 0 ]
