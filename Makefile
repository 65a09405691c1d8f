# visavis: `make run` serves http://localhost:8080, `make test` runs all tests. Each sets up what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := target/release/visavis
PAGE := web/dist/index.html
PAGE_SOURCES := $(shell find web/src web/packages web/public web/*.html web/vite.embed.config.ts web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
LISTEN ?= 127.0.0.1:8080
CONFIG ?= config.toml

.PHONY: help run test build page models packages test-packages test-models lint deny bench bench-conversation bench-asr bench-engines bench-face bench-wav2lip bench-lips bench-knowledge clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

run: build models ## Set up everything and serve http://localhost:8080
	exec $(BIN) serve --listen $(LISTEN) --config $(CONFIG)

build: packages page ## Set up and build everything: the page and target/release/visavis
	cargo build --release --locked --workspace --bins

packages:
	@deploy/packages.sh build

test-packages:
	@deploy/packages.sh build test

page: $(PAGE)

web/node_modules/.installed: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

$(PAGE): web/node_modules/.installed $(PAGE_SOURCES)
	npm --prefix web run build
	@touch $@

tests/e2e/node_modules/.installed: tests/e2e/package.json tests/e2e/package-lock.json
	npm --prefix tests/e2e ci --no-audit --no-fund
	@touch $@

models: build ## Fetch the model weights (about 880 MB the first time)
	@$(BIN) models pull

test-models: build
	@$(BIN) models pull default test

test: test-packages build test-models tests/e2e/node_modules/.installed ## Set up everything and run all tests
	cargo test --release --locked --workspace --lib --bins
	VISAVIS_TEST_LLM="$$($(BIN) models path qwen-0.5b)" \
		cargo test --release --locked --workspace --test '*' -- --test-threads=1  # each has its server to itself
	npm --prefix web test
	npm --prefix tests/e2e test

lint: packages page ## Formatting, clippy and types
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	npm --prefix web run lint

deny: ## Licences and sources of all dependencies
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources

bench: build models ## Print what a call costs
	cargo bench --locked --bench calls

bench-conversation: build test-models ## Print how a conversation feels; BENCH="plain typed" COUNT=10 for a part of it
	cargo bench --locked --bench conversation

bench-asr: build test-models ## Print our recogniser beside faster-whisper
	cargo bench --locked --bench asr

bench-engines: build models ## Print the local engines beside the Python packages of their weights
	cargo bench --locked --bench engines

bench-face: build models ## Print what a face costs to draw and to send
	cargo bench --locked --bench face

bench-wav2lip: build models ## Print what Wav2Lip costs; MODEL=file.onnx for a network of your own
	cargo bench --locked --bench wav2lip

bench-lips: build test-models ## Print whether lips fit the words, on received pictures; MINUTES=60 for one long call
	cargo bench --locked --bench lips

bench-knowledge: ## Print what it costs to read and to search a folder of pages
	cargo bench --locked --bench knowledge

clean: ## Remove all that was built; weights stay in their folder
	cargo clean
	rm -rf web/dist web/node_modules tests/e2e/node_modules artifacts
