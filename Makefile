# make demo    the whole thing on this machine: PostgreSQL, a lake, four synced tables, the shop
# make test    all tests, with everything they need
# make lint    format, clippy, house rules
# make bench   the benchmarks; writes docs/bench

.PHONY: demo test lint bench build

DEMO_ARGS ?=

build:
	@scripts/need cargo
	cargo build --locked -p lakefront-cli

demo: build
	@scripts/need python
	target/debug/lakefront demo $(DEMO_ARGS)

test:
	@scripts/need cargo python
	@scripts/test

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench:
	@scripts/need cargo python
	bench/run
