#!/bin/sh
# Options alone are the server's; anything else is a command.
set -eu
case ${1:-} in
    -*) exec nats-server "$@" ;;
    *) exec "$@" ;;
esac
