#!/bin/sh
# A cluster of Ray by hand: 'cluster.sh head' on the first host, 'cluster.sh HEAD-ADDRESS' on each other one.
# It runs until it is ended (Ctrl-C), with all that it has started. Never 'ray stop' on a host that others use.
set -eu
export RAY_USAGE_STATS_ENABLED=0
case ${1:?"head, or the address of the first host"} in
head) exec ray start --head --port 6379 --include-dashboard false --block ;;
*) exec ray start --address "$1:6379" --block ;;
esac
