# make run    a server on 127.0.0.1:8080 with its data in ./data
# make test   everything that CI runs; installs what the tests need
# make check  test, and the linters
# make test-slow  hours of crashes, and a very large file
# make bench  side by side with the references; see bench/README.md
# make image  a container image, with docker, or DOCKER=podman or buildah
# make fmt    put all code into shape

SHELL := /bin/bash
GO ?= go
export CGO_ENABLED := 0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
LDFLAGS := -s -w -X packhouse/internal/house.Version=$(VERSION)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.14.0

# What is tested on PostgreSQL as well; package store tests both by itself.
ON_POSTGRES := ./internal/house ./internal/api ./internal/format/...

.PHONY: run build image test test-slow check lint fmt vet bench tools clean

run: build
	./packhouse serve

build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o packhouse ./cmd/packhouse

DOCKER ?= docker
CERTIFICATES ?= /etc/ssl/certs/ca-certificates.crt

image: build
	rm -rf build && mkdir -p build/data build/tmp
	cp packhouse deploy/docker/Dockerfile build/ && cp $(CERTIFICATES) build/ca-certificates.crt
	$(DOCKER) build --tag packhouse --tag packhouse:$(VERSION) build
	rm -rf build

test: tools vet
	CGO_ENABLED=1 $(GO) test -race -timeout 25m ./...
	PACKHOUSE_TEST_ENGINE=postgres $(GO) test -timeout 25m $(ON_POSTGRES)

# Ten thousand kills instead of two hundred, and a file of 10 GiB; an hour.
test-slow: tools
	$(GO) test ./test/operate -run TestLargeFile -large 10 -timeout 1h
	$(GO) test ./test/crash -run TestKill -kills 10000 -timeout 12h
	npm install --silent --no-audit --no-fund --prefix .tools/renovate renovate@39.264.1
	$(GO) test -tags slow ./test/clients -run TestRenovate -timeout 1h

# The layers are checked by a test too (depcheck_test.go), so that make test
# finds a wrong import without the linter.
check: test lint

lint: .tools/golangci-lint
	.tools/golangci-lint run

.tools/golangci-lint:
	GOBIN=$(CURDIR)/.tools $(GO) install $(GOLANGCI)

vet:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not in shape, run make fmt: $$unformatted"; exit 1; fi
	$(GO) vet ./...

fmt:
	gofmt -w $$(git ls-files '*.go')

bench:
	$(GO) run ./bench

tools:
	@test/tools.sh

clean:
	rm -rf packhouse build .tools
