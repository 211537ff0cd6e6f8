"""The shell script by which a command outlives the connection, is begun at most once, and is found again.

It is given to `sh -c` on the machine, by SSH or on the bastion itself, and needs a POSIX shell, coreutils and setsid.
Each attempt has a folder of its own, made by `mkdir`, which one caller alone can do: who makes it begins the command;
who finds it follows what was begun. Who is only to follow, and makes it after all, has shown that nothing was begun,
and marks it so that nothing ever will be.

    folder/boot   the machine's boot id when it was begun
    folder/pid    the process group of the command
    folder/out    what it printed, at most LIMIT bytes; folder/err its errors
    folder/code   its exit code, once it has ended
    folder/void   nothing was begun, and never will be

It copies both streams from the given places on, and then says on its errors, on a line of its own, how it stands:

    farmtui-end KEY code N | lost WHY | absent | refused WHY
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

Mode = Literal["start", "attach", "stop"]

END: Final = "farmtui-end"
LIMIT_BYTES: Final = 1_000_000
"""What is kept of each stream of a command."""
GRACE_S: Final = 10
"""From TERM to KILL."""

SCRIPT: Final = r"""
umask 077
mode=$1 key=$2 limit=$3 from_out=$4 from_err=$5 sudo=$6 long=$7 grace=$8
shift 8
base=${FARMTUI_STEPS:-${HOME:-/tmp}/.cache/farmtui/steps}
d=$base/$key
end() { printf '\n%s %s %s\n' farmtui-end "$key" "$*" >&2; exit 0; }
boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }
as() { if [ "$sudo" = 1 ]; then sudo -n "$@"; else "$@"; fi; }
mkdir -p "$base" 2>/dev/null || end refused "the folder $base cannot be made"
made=
if mkdir "$d" 2>/dev/null; then made=1; fi
[ -d "$d" ] || end refused "the folder $d cannot be made"
if [ -n "$made" ] && [ "$mode" != start ]; then : >"$d/void"; end absent; fi
if [ -n "$made" ]; then
  find "$base" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + 2>/dev/null
  : >"$d/out"; : >"$d/err"
  boot >"$d/boot.new"; mv "$d/boot.new" "$d/boot"
  inner='
    d=$1 limit=$2; shift 2
    echo $$ >"$d/pid.new" && mv "$d/pid.new" "$d/pid"
    unbuffered=; command -v stdbuf >/dev/null 2>&1 && unbuffered="stdbuf -o0"
    # TERM is for the command: who keeps its output and its code must outlive it.
    cap() { trap "" TERM; $unbuffered head -c "$limit" >"$1"; cat >/dev/null; }
    trap : TERM
    run() { trap : TERM; "$@" </dev/null 3>&-; echo $? >"$d/code.new"; mv "$d/code.new" "$d/code"; }
    { run "$@" 2>&3 | cap "$d/out" 3>&-; } 3>&1 | cap "$d/err"
  '
  if [ "$sudo" = 1 ]; then set -- sudo -n -- "$@"; fi
  if [ "$long" = 1 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    user=; [ "$(id -u)" = 0 ] || user=--user
    echo "farmtui-$key" >"$d/unit"
    systemd-run $user --quiet --collect --unit="farmtui-$key" /bin/sh -c "$inner" farmtui-inner "$d" "$limit" "$@" \
      </dev/null >"$d/begin" 2>&1 ||
      { : >"$d/void"; end refused "systemd-run: $(head -c 200 "$d/begin" | tr '\n' ' ')"; }
  else
    setsid sh -c "$inner" farmtui-inner "$d" "$limit" "$@" </dev/null >/dev/null 2>&1 &
  fi
fi
# Who made it a moment ago is still at it.
n=0
while [ ! -e "$d/boot" ] && [ ! -e "$d/void" ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
[ -e "$d/void" ] && end absent
[ -e "$d/boot" ] || end lost "it was about to be begun when the machine or the disk failed"
if [ "$mode" = stop ] && [ ! -e "$d/code" ]; then
  if [ -e "$d/unit" ]; then
    user=; [ "$(id -u)" = 0 ] || user=--user
    systemctl $user stop "$(cat "$d/unit")" >/dev/null 2>&1
  fi
  n=0
  while [ ! -s "$d/pid" ] && [ $n -lt 20 ]; do sleep 0.1; n=$((n + 1)); done
  pid=$(cat "$d/pid" 2>/dev/null)
  if [ -n "$pid" ] && [ "$(cat "$d/boot")" = "$(boot)" ]; then
    as kill -TERM "-$pid" 2>/dev/null
    n=0
    while [ ! -e "$d/code" ] && as kill -0 "-$pid" 2>/dev/null && [ $n -lt $((grace * 10)) ]; do
      sleep 0.1; n=$((n + 1))
    done
    as kill -KILL "-$pid" 2>/dev/null
    n=0
    while as kill -0 "-$pid" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
    as kill -0 "-$pid" 2>/dev/null && end lost "process group $pid does not end, even by KILL"
    [ -e "$d/code" ] || { echo 137 >"$d/code.new"; mv "$d/code.new" "$d/code"; }
  fi
fi
copy() {
  size=$(wc -c <"$d/out")
  if [ "$size" -gt "$from_out" ]; then
    tail -c +$((from_out + 1)) "$d/out" | head -c $((size - from_out)); from_out=$size
  fi
  size=$(wc -c <"$d/err")
  if [ "$size" -gt "$from_err" ]; then
    tail -c +$((from_err + 1)) "$d/err" | head -c $((size - from_err)) >&2; from_err=$size
  fi
}
gone=0
while :; do
  copy
  if [ -e "$d/code" ]; then
    # What was printed last may still be on its way through the pipe; a child left behind may hold it for ever.
    sleep 0.2; copy
    end code "$(cat "$d/code")"
  fi
  [ "$(cat "$d/boot")" = "$(boot)" ] || end lost "the machine was started anew meanwhile"
  pid=$(cat "$d/pid" 2>/dev/null)
  if [ -n "$pid" ] && as kill -0 "-$pid" 2>/dev/null; then gone=0; else gone=$((gone + 1)); fi
  [ $gone -gt 25 ] && [ ! -e "$d/code" ] && end lost "the process has ended without a trace"
  sleep 0.2
done
"""


def wrapped(
    mode: Mode,
    key: str,
    argv: Sequence[str],
    *,
    read: tuple[int, int] = (0, 0),
    sudo: bool = False,
    long: bool = False,
    limit: int = LIMIT_BYTES,
    grace_s: int = GRACE_S,
) -> list[str]:
    """The command that begins, follows or ends an attempt. `read`: bytes of both streams that are known already."""
    options = [mode, key, str(limit), str(read[0]), str(read[1]), str(int(sudo)), str(int(long)), str(grace_s)]
    return ["sh", "-c", SCRIPT, "farmtui-step", *options, *argv]


def shell_argv(text: str) -> list[str]:
    """The command line for a shell's text."""
    return ["sh", "-c", text]
