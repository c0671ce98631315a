# Three commands matter: `make demo` shows trawl, `make test` proves it, `make run` starts it.
# Each installs what is missing (scripts/bootstrap.sh).

# rustup puts cargo where a fresh shell may not look yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# The program that `cargo test` has built: with other features it would be built once more.
TESTED = TRAWL='$(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/debug/trawl'

# Tests wait for each other's daemons half of the time.
THREADS = $(shell expr $$(nproc) + 1)

.NOTPARALLEL:
.PHONY: help demo test soak run check fmt audit bench bench-runs bench-databases bench-web bench-flags bench-gpu crawler-fixtures databases fuzz schemathesis web bootstrap

help:
	@echo 'make demo    a page with a clip, its link pasted, the words and a signed callback; on this machine alone'
	@echo 'make test    the whole test suite'
	@echo 'make soak    the long run: nodes are killed and stopped, receivers do everything wrong, random workflows; a table'
	@echo 'make run     the daemon on http://127.0.0.1:8000'
	@echo 'make check   formatting and lints'
	@echo 'make bench   what trawl costs and how fast it is, as a table; bench-runs, bench-databases, bench-web, bench-flags, bench-gpu: docs/benchmarks.md'
	@echo 'make crawler-fixtures DIR=… VECTORS=…'
	@echo '             plays captures of platforms against the crawlers (crawlers/README.md)'
	@echo 'make fuzz    any bytes for the crawlers, SECONDS=300 for each parser (crawlers/README.md)'
	@echo 'make databases'
	@echo '             what touches the database once more, on PostgreSQL and on MariaDB'
	@echo 'make schemathesis'
	@echo '             asks a daemon everything that its OpenAPI document allows, and much that it does not'
	@echo 'make web     the web page alone: types, unit tests, and in a browser (web/README.md)'
	@echo 'make fmt     formats the source'
	@echo 'make audit   licences, advisories and sources of the dependencies (cargo-deny)'

demo: bootstrap
	@scripts/web.sh fresh
	@scripts/demo.sh

test: bootstrap
	@scripts/ytdlp.sh
	@scripts/sdks.sh
	@scripts/clients.sh
	@scripts/bootstrap.sh databases
	RUST_TEST_THREADS=$(THREADS) cargo test --workspace --locked
	@scripts/web.sh check
	@$(TESTED) scripts/web.sh browse
	@RUST_TEST_THREADS=$(THREADS) scripts/with_databases.sh scripts/on_databases.sh
	@$(TESTED) scripts/schemathesis.sh

# The web page: its types and unit tests, and in a browser against a real daemon. Part of `make test`.
web: bootstrap
	@scripts/web.sh check
	@scripts/web.sh browse

# Hours on two cores. TASKS, KILLS, STOPS, DELIVERIES, CASES and SEED say how much of it (scripts/soak.sh).
soak: bootstrap
	@scripts/bootstrap.sh databases
	@scripts/with_databases.sh scripts/soak.sh

run: bootstrap
	@scripts/web.sh fresh
	cargo run --release --locked --bin trawl -- serve --bind 127.0.0.1:8000

check: bootstrap
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

fmt:
	cargo fmt --all

bench: bootstrap
	cargo build --release --locked --package trawl --package capi --bins
	cargo build --release --locked --package crawlers --example resolve-cost
	benches/run.py

# What workflows cost beside the work of their steps.
bench-runs: bootstrap
	cargo test --release --locked --test integration measured_ -- --ignored --nocapture --test-threads 1

# What databases cost: steps in a second, claims among very many, searches, a move. The servers wait for the disk here.
bench-databases: bootstrap
	@scripts/bootstrap.sh databases
	@DURABLE=1 scripts/with_databases.sh scripts/rates.sh
	cargo test --release --locked --lib measured_search -- --ignored --nocapture
	cargo test --release --locked --lib measured_move -- --ignored --nocapture

# What the web page costs a browser: its limits are kept where nothing else runs.
bench-web: bootstrap
	@TRAWL_TIMES=1 scripts/web.sh browse numbers task-read

bench-flags: bootstrap
	benches/flags.py

# DIR holds a manifest.json (and a links.json) as crawlers/fixtures does; VECTORS is a file of signatures.
crawler-fixtures: bootstrap
	cargo run --quiet --locked --example crawler-fixtures -- $(if $(DIR),--dir '$(DIR)') $(if $(VECTORS),--vectors '$(VECTORS)')

# Needs cargo-fuzz, a C++ compiler and a nightly toolchain. TARGETS chooses among the parsers.
fuzz: bootstrap
	@scripts/fuzz.sh $(or $(SECONDS),300) $(TARGETS)

# Needs an NVIDIA GPU and the CUDA toolkit.
bench-gpu: bootstrap
	cargo build --release --locked --bin trawl --features cuda --target-dir target/cuda
	benches/gpu.py --binary target/cuda/release/trawl --device cuda:0

# Part of `make test`.
databases: bootstrap
	@scripts/bootstrap.sh databases
	@RUST_TEST_THREADS=$(THREADS) scripts/with_databases.sh scripts/on_databases.sh

# Part of `make test`. EXAMPLES: random requests for each operation.
schemathesis: bootstrap
	@scripts/schemathesis.sh

audit:
	@command -v cargo-deny >/dev/null || { echo 'audit: run: cargo install cargo-deny --locked' >&2; exit 1; }
	cargo deny --locked check

bootstrap:
	@scripts/bootstrap.sh
