#!/bin/sh
# Tests of credtrace-pre-commit and install.sh, with programs that stand in for credtrace. Needs git; touches nothing
# outside a temporary folder. Exit status 0 only if all pass.

set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME="$scratch/home" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE CREDTRACE_PROGRAM CARGO_HOME
tools=$PATH
passed=0
failed=0
case_number=0

# Makes a repository with something staged and an empty folder for the stand-in, and goes there.
begin() {
    name=$1
    case_number=$((case_number + 1))
    repository=$scratch/$case_number/work
    programs=$scratch/$case_number/programs
    mkdir -p "$repository" "$programs" "$HOME"
    PATH=$programs:$tools
    cd "$repository" || exit 1
    git init -q -b main
    echo content >file
    git add file
}

# Puts a program in the place of credtrace; it writes down how it was called.
stand_in() {
    printf '#!/bin/sh\necho "$*" >>"%s/calls"\n%s\n' "$programs" "$1" >"$programs/credtrace"
    chmod +x "$programs/credtrace"
}

other_hook() {
    mkdir -p "$(dirname "$1")"
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

install() {
    "$here/install.sh" "$@" >"$scratch/said" 2>&1
}

commit() {
    git commit -q -m message "$@" >"$scratch/said" 2>&1
}

# Takes what the case expects, as a command that must succeed.
expect() {
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s\n' "$name" "$*" >&2
        sed 's/^/    /' "$scratch/said" >&2
    fi
}

fails() {
    ! "$@"
}

said() {
    grep -q -- "$1" "$scratch/said"
}

committed() {
    git rev-parse -q --verify HEAD >/dev/null
}

begin 'nothing found: the commit passes'
stand_in 'exit 0'
expect install
expect commit
expect committed
expect grep -qx hook "$programs/calls"

begin 'findings: the commit stops, without our message'
stand_in 'echo found something; exit 1'
expect install
expect fails commit
expect said 'found something'
expect fails said blocked
expect fails committed

for status in 2 3 101 130; do
    begin "status $status: the commit stops and says how to proceed"
    stand_in "exit $status"
    expect install
    expect fails commit
    expect said 'is blocked'
    expect said --no-verify
    expect fails committed
    expect commit --no-verify
    expect committed
done

begin 'a crash: the commit stops'
stand_in 'kill -9 $$'
expect install
expect fails commit
expect said 'ended with status 137'

begin 'no program: the commit stops'
expect install
expect said 'not in PATH'
expect fails commit
expect said 'was not found'
expect said --no-verify
expect fails committed

begin 'a program that may not be run: the commit stops'
stand_in 'exit 0'
chmod -x "$programs/credtrace"
expect install
expect fails commit
expect fails committed

begin 'a program in the current folder of the repository is not run'
expect install
other_hook ./credtrace "touch ran"
PATH=.:$tools
expect fails commit
expect said 'depends on the current folder'
expect fails test -e ran

begin 'a program outside PATH, in the usual folder or by name'
expect install
mkdir -p "$HOME/.local/bin"
other_hook "$HOME/.local/bin/credtrace" 'exit 0'
expect commit
rm "$HOME/.local/bin/credtrace"
expect fails commit --allow-empty
other_hook "$programs/another name" 'exit 0'
CREDTRACE_PROGRAM="$programs/another name"
export CREDTRACE_PROGRAM
expect commit --allow-empty
unset CREDTRACE_PROGRAM

begin 'installing twice is installing once; uninstalling leaves nothing'
expect install
expect install
expect cmp "$here/credtrace-pre-commit" .git/hooks/pre-commit
expect install --uninstall
expect fails test -e .git/hooks/pre-commit
expect install --uninstall
expect said 'nothing to do'

begin 'a hook of someone else is refused, by all but --chain and --force'
stand_in 'exit 0'
other_hook .git/hooks/pre-commit 'echo theirs; exit 0'
cp .git/hooks/pre-commit "$scratch/theirs"
expect fails install
expect said -- --chain
expect cmp .git/hooks/pre-commit "$scratch/theirs"
expect fails install --uninstall
expect cmp .git/hooks/pre-commit "$scratch/theirs"

begin '--chain runs both, the other first, and stops if either does'
stand_in 'exit 0'
other_hook .git/hooks/pre-commit 'echo theirs; test ! -e stop'
cp .git/hooks/pre-commit "$scratch/theirs"
expect install --chain
expect install --chain
expect install
expect commit
expect said theirs
expect test -e "$programs/calls"
rm "$programs/calls"
touch stop
expect fails commit --allow-empty
expect fails test -e "$programs/calls"
rm stop
stand_in 'exit 1'
expect fails commit --allow-empty
expect install --uninstall
expect cmp .git/hooks/pre-commit "$scratch/theirs"
expect fails test -e .git/hooks/pre-commit.chained

begin '--force sets the other aside, and uninstalling puts it back'
stand_in 'exit 0'
other_hook .git/hooks/pre-commit 'exit 1'
cp .git/hooks/pre-commit "$scratch/theirs"
expect install --force
expect commit
expect install --uninstall
expect cmp .git/hooks/pre-commit "$scratch/theirs"
other_hook .git/hooks/pre-commit.before-credtrace 'exit 1'
expect fails install --force
expect cmp .git/hooks/pre-commit "$scratch/theirs"

begin 'a link that leads nowhere is a hook of someone else'
ln -s /no/such/file .git/hooks/pre-commit
expect fails install
expect test -L .git/hooks/pre-commit

begin 'core.hooksPath is honoured, also relative and from a subfolder'
stand_in 'exit 1'
git config core.hooksPath 'my hooks'
mkdir sub
cd sub || exit 1
expect install
expect said core.hooksPath
expect test -x '../my hooks/pre-commit'
expect fails test -e ../.git/hooks/pre-commit
expect fails commit

begin 'a linked work tree shares the hook'
stand_in 'exit 0'
expect commit
git worktree add -q ../linked
cd ../linked || exit 1
expect install
expect test -x "$repository/.git/hooks/pre-commit"
stand_in 'exit 1'
expect fails commit --allow-empty

begin 'no repository, unknown option'
cd "$HOME" || exit 1
expect fails install
expect said 'no work tree'
cd "$repository" || exit 1
expect fails install --what
expect said Usage

printf '%s checks passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
