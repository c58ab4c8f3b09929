#!/bin/sh
# Installs the credtrace pre-commit hook into the repository of the current folder, or removes it again.
#
# The hook is a copy of credtrace-pre-commit, which stands beside this script. It goes where git looks for hooks, also
# with core.hooksPath and in linked work trees. A hook that someone else put there is never lost: without an option it
# is refused, with --chain it runs first, with --force it is set aside.

set -eu

usage='Usage: install.sh [--chain | --force | --uninstall]
  --chain      keep a hook that is there already and run it before credtrace
  --force      replace a hook that is there already; it is set aside as pre-commit.before-credtrace
  --uninstall  remove the credtrace hook and put back what was kept or set aside'

# The second line of the hook, by which it is known.
mark='# credtrace pre-commit hook:'

say() {
    printf 'credtrace: %s\n' "$1"
}

fail() {
    printf 'credtrace: %s\n' "$1" >&2
    exit 1
}

exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

is_ours() {
    [ -f "$1" ] && [ ! -L "$1" ] && sed -n 2p "$1" | grep -q "^$mark"
}

# Moves the hook of someone else out of the way, as the option says.
make_room() {
    case $mode in
    chain) kept=$hook.chained ;;
    force) kept=$hook.before-credtrace ;;
    *)
        fail "$hook exists and is not of credtrace; nothing was changed. Either
  - add this line to it:  credtrace hook || exit \$?
  - or keep it and run it first:  install.sh --chain
  - or replace it (it is set aside):  install.sh --force"
        ;;
    esac
    if exists "$kept"; then
        fail "$kept exists already, so $hook has no place to go; move one of them away. Nothing was changed."
    fi
    mv "$hook" "$kept"
    say "the hook that was there is now $kept"
}

install_hook() {
    [ -f "$source_file" ] || fail "$source_file is missing; it must stand beside install.sh"
    mkdir -p "$folder"
    if exists "$hook" && ! is_ours "$hook"; then
        make_room
    elif [ "$mode" = chain ] && ! exists "$hook.chained"; then
        say 'there is no other hook to chain'
    fi
    # Git never sees half a hook: it is written beside and then renamed.
    new=$hook.new.$$
    trap 'rm -f "$new"' EXIT
    cp "$source_file" "$new"
    chmod 755 "$new"
    mv -f "$new" "$hook"
    say "installed as $hook"
    if command -v credtrace >/dev/null 2>&1; then
        return
    fi
    say 'note: the credtrace program is not in PATH; until it is, every commit is blocked'
}

uninstall_hook() {
    if ! exists "$hook"; then
        say "there is no hook at $hook; nothing to do"
        return
    fi
    is_ours "$hook" || fail "$hook is not of credtrace; nothing was changed"
    rm "$hook"
    say "removed $hook"
    for kept in "$hook.chained" "$hook.before-credtrace"; do
        if exists "$kept" && ! exists "$hook"; then
            mv "$kept" "$hook"
            say "put back the hook that was there before"
        fi
    done
}

mode=install
case $# in
0) ;;
1)
    case $1 in
    --chain | --force | --uninstall) mode=${1#--} ;;
    -h | --help)
        printf '%s\n' "$usage"
        exit 0
        ;;
    *)
        printf '%s\n' "$usage" >&2
        exit 2
        ;;
    esac
    ;;
*)
    printf '%s\n' "$usage" >&2
    exit 2
    ;;
esac

source_file=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/credtrace-pre-commit

# A relative core.hooksPath counts from where hooks run: the root of the work tree.
root=$(git rev-parse --show-toplevel) || fail 'this folder is in no work tree of a git repository'
cd -- "$root"
folder=$(git rev-parse --git-path hooks)
case $folder in
/* | [A-Za-z]:[/\\]*) ;;
*) folder=$root/$folder ;;
esac
hook=$folder/pre-commit

if configured=$(git config --get core.hooksPath); then
    say "note: core.hooksPath is $configured, which other repositories or tools may use too"
fi

case $mode in
uninstall) uninstall_hook ;;
*) install_hook ;;
esac
