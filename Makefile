# A short front for Meson and Ninja. `./run TARGET` installs what is missing, then makes the same target.
PREFIX ?= /usr/local
WERROR ?= true
PYTHON := $(firstword $(wildcard .venv/bin/python) /usr/bin/python3)
RUNTIME := $(lastword $(sort $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.1.*)))
OPTIONS := --prefix=$(PREFIX) --libdir=lib -Dwerror=$(WERROR) -Druntime=$(RUNTIME)
NINJA := ninja $(if $(MAKE_TERMOUT),,--quiet)

all:
	@[ -x web/node_modules/.bin/esbuild ] || { echo "web/node_modules is not there: './run' installs it, and so" \
	    "does 'npm ci' in web/." >&2; exit 1; }
	@tools/configure.sh build $(OPTIONS)
	@$(NINJA) -C build
	@ln -sf cli/fewer build/fewer && mkdir -p build/out build/demo
demo: all
	@demo/run_demo.sh build
test: all
	@$(PYTHON) tools/run_tests.py build -- $(OPTIONS)
test-long: all
	@$(PYTHON) tools/run_tests.py build --long -- $(OPTIONS)
bench: all
	@$(PYTHON) bench/run.py build
paper: all
	@bench/paper/run_paper.sh build $(PYTHON) $(TABLES)
fuzz:
	@$(PYTHON) fuzz/run_fuzz.py build $(TARGETS) -- $(OPTIONS)
install: all
	@meson install -C build --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig
fmt:
	@$(PYTHON) tools/check_format.py --write
lint: all
	@run-clang-tidy -quiet -p build '/(src|cli|examples)/'
clean:
	@rm -rf build
.PHONY: all demo test test-long bench paper fuzz install fmt lint clean
