# The two commands of the README, and what they are made of.

SHELL := /bin/bash
GO ?= go
export CGO_ENABLED := 0
BIN := bin/cloister
EXAMPLE ?= examples/secure-mlops

.PHONY: bench-terraform soak-terraform-kill up test build install install-test down test-unit test-e2e e2e-catalogue e2e-terraform e2e-terraform-wide e2e-az soak-faults soak-control-plane bench-control-plane lint vuln fmt tidy validate-example oracle plans computed fuzz bench-show bench-fabric soak-network help

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

up: install build ## the main job: run the whole example on this machine
	$(BIN) up $(EXAMPLE)

test: install-test build lint test-unit test-e2e ## every test

down: build ## end what `make up` started
	$(BIN) down

install: ## install what this machine lacks (Debian, Ubuntu; asks apt only when something is missing)
	@scripts/install.sh

install-test:
	@scripts/install.sh test

build: ## build bin/cloister, and bin/cloisterd, which it starts for a cloud
	@mkdir -p bin
	$(GO) build -trimpath -o bin/ ./cmd/...

test-unit: ## the packages' own tests
	$(GO) test -timeout 20m ./...

test-e2e: build ## the whole solution, run and broken on purpose
	$(GO) test -timeout 40m -count=1 -tags e2e ./e2e/...

e2e-catalogue: build ## run every broken estate of the rulebook, and the same mended: packets and proof change alike (about ten minutes)
	CLOISTER_CATALOGUE=1 $(GO) test -timeout 60m -count=1 -v -tags e2e -run TestCatalogue ./e2e/

e2e-terraform: build ## apply, change and destroy the example with the real Terraform and its providers (builds them the first time: about 10 minutes)
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && setup=$$(scripts/terraform-setup.sh "$$home") && eval "$$setup" && \
	$(GO) test -timeout 60m -count=1 -v -tags e2e -run 'TestTerraform$$' ./e2e/

e2e-terraform-wide: build ## apply one of each type, twice, and ten configurations at one time, with the real Terraform and its provider
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && setup=$$(scripts/terraform-setup.sh "$$home") && eval "$$setup" && \
	$(GO) test -timeout 30m -count=1 -v -tags e2e -run 'TestTerraform(Wide|Together)' ./e2e/

bench-terraform: build ## apply the example with the real Terraform, and judge which share of the time the control plane is at work
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && setup=$$(scripts/terraform-setup.sh "$$home") && eval "$$setup" && \
	CLOISTER_BENCH=1 $(GO) test -timeout 30m -count=1 -v -tags e2e -run 'TestShareOfApply$$' ./e2e/

soak-terraform-kill: build ## kill the daemon KILLS (5) times at random while the real Terraform applies 200 resources to it
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && setup=$$(scripts/terraform-setup.sh "$$home") && eval "$$setup" && \
	CLOISTER_KILLS=$(or $(KILLS),5) $(GO) test -timeout 120m -count=1 -v -tags e2e -run 'TestTerraformKilled$$' ./e2e/

e2e-az: build ## run the real az and the SDK for Python against a cloud (installs them the first time: some minutes, 2 GB in the cache)
	@setup=$$(scripts/az-setup.sh) || { [ $$? -eq 3 ] && exit 0; exit 1; }; eval "$$setup" && \
	$(GO) test -timeout 30m -count=1 -v -tags e2e -run 'TestAz|TestPythonSDK' ./e2e/

soak-faults: build ## kill processes of the running example at random, KILLS (20) times, while every place tries what the proof refuses it (half a minute a kill); root
	CLOISTER_KILLS=$(or $(KILLS),20) $(GO) test -timeout 120m -count=1 -v -tags e2e -run 'TestFaults$$' ./e2e/

soak-control-plane: ## kill the control plane a hundred times (KILLS) while 200 resources are applied to it, on SQLite and on PostgreSQL
	CLOISTER_KILLS=$(or $(KILLS),100) $(GO) test -timeout 60m -count=1 -v -run TestKilledAtAnyInstant ./internal/cloud/

bench-control-plane: ## time the control plane on SQLite and PostgreSQL, beside the peers that this machine has
	bench/control-plane.sh

lint: ## gofmt, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) tool -modfile=tools/go.mod golangci-lint run

vuln: ## known vulnerabilities in what we call (needs the Go vulnerability database)
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

validate-example: ## terraform validate with the real azurerm and azapi providers (builds them the first time: about 10 minutes)
	scripts/terraform-validate.sh $(EXAMPLE)/terraform

ORACLES = source/terraform/testdata/oracle
oracle: ## hold the estate against what the real provider sends; CONFIG=DIR for one configuration, UPDATE=1 to record
	@azurerm=$$(scripts/azurerm-provider.sh) && azapi=$$(scripts/azapi-provider.sh) && \
	$(GO) run ./source/terraform/oracle -provider hashicorp/azurerm@5.2.0="$$azurerm" -provider azure/azapi@1.15.0="$$azapi" \
		$(if $(UPDATE),-update) $(if $(V),-v) $(or $(CONFIG),$(wildcard $(ORACLES)/*))

plans: ## record the plans and states that are test data, with the real terraform and its providers (five minutes)
	@azurerm=$$(scripts/azurerm-provider.sh) && azapi=$$(scripts/azapi-provider.sh) && \
	for made in planned: secure-mlops:.gz; do dir=$(ORACLES)/$${made%%:*}; z=$${made##*:}; \
		$(GO) run ./source/terraform/oracle -provider hashicorp/azurerm@5.2.0="$$azurerm" -provider azure/azapi@1.15.0="$$azapi" \
			-plan $$dir/plan.json$$z -state $$dir/state.json$$z $$dir || exit 1; done

SCHEMA = source/terraform/internal/schema
computed: ## write again which blocks the azurerm provider fills in, asked of the provider itself by plans (two minutes)
	@azurerm=$$(scripts/azurerm-provider.sh) && made=$$(mktemp) && trap 'rm -f "$$made"' EXIT && \
	$(GO) run ./$(SCHEMA)/gen/computed -provider "$$azurerm" > "$$made" && cp "$$made" $(SCHEMA)/computed.txt

FUZZTIME ?= 30s
fuzz: ## every fuzz target, FUZZTIME each
	scripts/fuzz.sh $(FUZZTIME)

bench-fabric: ## what the networks cost beside the same without them: throughput, rules, changes, DNS beside CoreDNS (root; three minutes, and the first time to build CoreDNS)
	coredns=$$(bench/coredns.sh); CLOISTER_COREDNS=$$coredns CLOISTER_BENCH=1 $(GO) test -count=1 -v -run TestRatios -timeout 20m ./internal/fabric/ | grep -v '^ *[=-][=-]'

soak-network: ## random estates with a thousand flows of real packets each against the proof, for SOAK (10m); root
	CLOISTER_SOAK=$(or $(SOAK),10m) $(GO) test -count=1 -v -run 'TestPacketsAgreeWithProof' -timeout 24h ./internal/fabric/

bench-show: ## time cloister show beside the other programs that read a directory of Terraform
	bench/show.sh

fmt: ## gofmt everything
	gofmt -w $$(git ls-files '*.go')

tidy: ## bring go.mod up to date
	$(GO) mod tidy
	cd tools && $(GO) mod tidy
