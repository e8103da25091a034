# Every target is safe to repeat. One build configuration for all: release, as users run it.

SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help
# What a target needs happens in the order in which it is written.
.NOTPARALLEL:
.PHONY: help deps engine engine-given engine-socket engine-stop images build demo demo-forge up test check generate bench tcb fuzz mutants simulate chaos soak install clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

deps: ## install what this machine lacks (Debian's packages)
	@Tests/Engine/deps.sh

engine: ## find a usable container engine or start a private one
	@Tests/Engine/engine.sh start

engine-socket: ## print the URL of the usable engine
	@Tests/Engine/engine.sh find

# What was asked for by name is tried before anything is built for minutes.
engine-given: ## see that the engine named by BULKHEAD_ENGINE, if one is, can be used
	@[ -z "$$BULKHEAD_ENGINE" ] || Tests/Engine/engine.sh find > /dev/null

engine-stop: ## stop the private engine; its images stay cached
	@Tests/Engine/engine.sh stop

images: engine ## make the images bulkhead/busybox and bulkhead/debian
	@Tests/Engine/images.sh

build: ## build everything
	swift build -c release

demo: deps engine-given build ## run a real job from end to end, then stop everything
	@Tests/Demo/demo.sh

demo-forge: deps engine-given build ## a forge, a stranger's change, an approval, a deployment; then stop everything
	@Tests/Demo/forge.sh

up: engine-given build images ## start all daemons on 127.0.0.1:7700, in the foreground
	.build/release/bulkhead up --engine "$$(Tests/Engine/engine.sh find)"

test: deps ## run the whole suite, on a real engine
	@Tests/run.sh

check: build ## format, lint, floors, generated code, vectors, OpenAPI
	@Tests/Check/check.sh

generate: ## write what follows from proto-spec/*.wire and from the security tests
	swift run -c release wiregen generate
	@Tests/Security/table.py

bench: build images ## measure side by side, and write .build/bench/results.json
	@Tests/Engine/deps.sh bench
	@Tests/Bench/bench.sh

tcb: build ## show what is linked into the trusted daemons, and hold it to the budget
	@Tests/Layers/tcb.py

fuzz: ## the long fuzzing run: ten million inputs
	@Tests/Fuzz/fuzz.sh

mutants: deps ## break one wall after another, and see the suite notice each
	@Tests/Mutants/mutants.py

simulate: ## schedulerd in virtual time with faults: SEEDS=10000, FIRST=1
	swift build -c release --product simulate
	@Tests/Simulation/simulate.sh --seeds $${SEEDS:-10000} $${FIRST:+--first $$FIRST}

chaos: build images ## kill and stop the real daemons and a real engine under load: ROUNDS=20, SEED=n
	@Tests/Chaos/chaos.sh

soak: build images ## a thousand jobs with secrets, and a search for what is left of them
	@Tests/Security/soak.sh

install: build ## install the programs below PREFIX (and DESTDIR)
	@systemd/install.sh

clean: ## stop the private engine and remove everything that was built
	@Tests/Engine/engine.sh clean
	rm -rf .build
