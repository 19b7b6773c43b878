#!/bin/sh
# Run pytest, and what failed once more, by itself: another program, or the tests beside it, can hold up a walking robot
# for longer than it may wait. What fails again has failed.
#
#   .ci/test.sh PYTHON [arguments of pytest]
python=$1
shift
# Containers set it. Each of the hundreds of processes that tests start would compile the whole package for itself.
unset PYTHONDONTWRITEBYTECODE
status=0
"$python" -m pytest "$@" || status=$?
# 1 is "tests failed"; after a Ctrl-C, a wrong argument or a first failure that should end it all nothing runs again.
[ "$status" -eq 1 ] || exit "$status"
case " $* " in *' -x '* | *' --exitfirst '* | *' --maxfail'*) exit 1 ;; esac
echo 'Once more, by itself, what failed:'
exec "$python" -m pytest "$@" -n 0 --last-failed --last-failed-no-failures none
