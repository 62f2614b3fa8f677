# Two commands for newcomers: `make demo` and `make test`. Everything else is for those who work on Unum.

PEOPLE ?= 20
CARGO  ?= cargo

demo_options = --people $(PEOPLE)
ifdef EYES
demo_options = --eyes $(EYES)
endif
ifdef ONE_EYE
demo_options += --one-eye
endif
ifdef KEEP
demo_options += --keep
endif
ifdef JSON
demo_options += --json $(JSON)
endif

.PHONY: help demo test js-test lint nightly neon-test cluster-test doctor audit dependencies

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

demo: dependencies ## The whole path on this machine: PEOPLE=20 EYES=eyes.csv ONE_EYE=1 KEEP=1 JSON=file
	$(CARGO) run --release --locked --bin unum -- demo $(demo_options)

test: dependencies ## Unit, vector, property and system tests
	$(CARGO) test --workspace --locked

js-test: ## The library for apps in TypeScript, and the example apps; fetches Node packages
	@scripts/install-dependencies js
	cd verify/js && npm ci --no-fund --no-audit && npm ci --no-fund --no-audit --prefix ../../examples
	cd verify/js && npm run lint && npm test

nightly: ## The slow suites and optional features as well; fetches Node packages
	@scripts/install-dependencies nightly
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	$(CARGO) test --workspace --all-features --locked -- --include-ignored
	$(CARGO) test --release --package orb-firmware --lib --locked golden
	$(MAKE) neon-test js-test
	cd verify/js && npm run test:browser

neon = CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
neon-test: ## The matcher's NEON kernel against the definition, on an emulated processor (rustup target add aarch64-unknown-linux-gnu)
	@scripts/install-dependencies neon
	$(neon) $(CARGO) test --package unum-iris --target aarch64-unknown-linux-gnu --locked

lint: dependencies ## Format, lints and documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

cluster = --manifest-path enroll-server/cluster/Cargo.toml --all-features --locked
cluster-test: dependencies ## The scan over several machines, a workspace of its own: lints and tests. Builds DataFusion: many minutes
	$(CARGO) fmt --manifest-path enroll-server/cluster/Cargo.toml --check
	$(CARGO) clippy $(cluster) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(cluster) --no-deps --quiet
	$(CARGO) test $(cluster)

doctor: dependencies ## What is missing on this machine, and how to get it
	$(CARGO) run --release --locked --bin unum -- doctor

audit: ## Licences, advisories, sources (needs cargo-deny)
	$(CARGO) deny check
	$(CARGO) deny --manifest-path enroll-server/cluster/Cargo.toml --all-features --config deny.toml check

dependencies:
	@scripts/install-dependencies
