# Every target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help build test demo bench boot-test libostree-suite format install clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build: ## Publish the native executable to dist/oci-ostree
	@build/setup build
	@build/publish

test: ## Run all tests: units, interop with the real programs, a real boot
	@build/setup test
	@build/publish
	@build/test

demo: ## Watch an operating system go from a directory to a registry to a bootable root
	@build/setup demo
	@build/publish
	@examples/demo

bench: ## Compare speed and memory with the real programs, side by side
	@build/setup bench
	@build/publish
	@tests/bench/run

boot-test: ## Boot deployments in QEMU, upgrade and roll back inside
	@build/setup test
	@build/publish
	@build/test Boot

libostree-suite: ## Run libostree's own shell tests against ours (SUITE=2022.7 for those of that release)
	@build/setup test
	@build/publish
	@tests/libostree-suite/run $(SUITE)

format: ## Bring the code into the house style
	dotnet format OciOstree.sln

install: build ## Install the executable, the extension link, units and completion below PREFIX (DESTDIR honoured)
	install -D -m 0755 dist/oci-ostree $(DESTDIR)$(PREFIX)/bin/oci-ostree
	install -d $(DESTDIR)$(PREFIX)/libexec/libostree/ext
	ln -sfn $(PREFIX)/bin/oci-ostree $(DESTDIR)$(PREFIX)/libexec/libostree/ext/ostree-container
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in examples/*.service; do sed 's|@bindir@|$(PREFIX)/bin|' $$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	dist/oci-ostree completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/oci-ostree
	install -d $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	dist/oci-ostree completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_oci-ostree
	dist/oci-ostree completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/oci-ostree.fish

clean: ## Remove what a build makes (the cache of downloaded trees stays)
	rm -rf artifacts dist
