# The commands of this project. `make` alone lists them.
#
# Every target sets the machine up first (bootstrap.sh), which takes a moment when nothing is missing, and passes cargo
# the engine that bootstrap.sh chose.

TARGET ?= .
ARGS ?=
PREFIX ?= $(HOME)/.local
export TARGET
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

engine = $$(cat target/engine)
binary = $(or $(CARGO_TARGET_DIR),target)/release/credtrace

.DEFAULT_GOAL := help
.PHONY: help build scan test bench corpora bench-compare lint install
.SILENT:

help: ## list the commands
	printf 'credtrace\n\n'
	sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
	printf '\n  make scan TARGET=path ARGS="--format json --output report.json"\n'
	printf '  make scan ends with Error 1 for findings and Error 2 for an incomplete scan; a failed build says so.\n'

build:
	./bootstrap.sh
	cargo build --release --locked --quiet $(engine) || { status=$$?; \
	  echo 'make: the build failed; nothing was scanned' >&2; exit $$status; }

# The report goes to standard output alone; what the exit status means is said on standard error.
scan: build ## scan TARGET (a folder, repository or file; default .) with ARGS
	status=0; "$(abspath $(binary))" scan $(ARGS) -- "$$TARGET" || status=$$?; \
	case $$status in \
	  0) ;; \
	  1) echo 'credtrace ended with 1: findings' >&2 ;; \
	  2) echo 'credtrace ended with 2: not everything that was asked could be done' >&2 ;; \
	  *) echo "credtrace ended with $$status" >&2 ;; \
	esac; exit $$status

test: ## run the whole test suite
	./bootstrap.sh
	cargo test --locked $(engine)

bench: ## run the benchmarks of each stage
	./bootstrap.sh
	cargo bench --locked $(engine)

# REPO and TREE are lists of NAME=path; LOG and HOOK may be empty to leave those out. RECORD names the file to write.
REPO ?=
TREE ?=
LOG ?= 1000000000
HOOK ?= 10000,100000
RUNS ?= 5
RECORD ?=
bench-compare: build ## measure credtrace beside Kingfisher, see benches/record/README.md
	CREDTRACE="$${CREDTRACE:-$(abspath $(binary))}" benches/compare.py \
	  $(addprefix --repo ,$(REPO)) $(addprefix --tree ,$(TREE)) $(if $(TREE),,$(if $(REPO),--tree-of-repos)) \
	  $(addprefix --log ,$(LOG)) $(addprefix --hook ,$(HOOK)) --runs $(RUNS) $(addprefix --record ,$(RECORD))

corpora: ## print recall, attribution and false alarms over the labelled set
	./bootstrap.sh
	cargo run --release --locked --quiet $(engine) --example corpora -- $(ARGS)

lint: ## check format and lints
	./bootstrap.sh
	cargo fmt --check
	cargo clippy --all-targets --locked $(engine) -- -D warnings

install: build ## install the program into PREFIX/bin (default ~/.local/bin)
	install -d "$(PREFIX)/bin"
	install -m 755 "$(abspath $(binary))" "$(PREFIX)/bin/credtrace"
	echo "installed $(PREFIX)/bin/credtrace" >&2
