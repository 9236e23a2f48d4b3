# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests start processes by the hundred: each would compile the package where the environment says to keep no bytecode.
unexport PYTHONDONTWRITEBYTECODE
NATIVE := $(shell find baonet/core/native -name "*.[ch]")

.PHONY: demo demo-riscv test slow guests hosts sanitize compiled lint types bench docs clean

demo: $(VENV)/.installed
	$(BIN)/baonet run configs/ping-pong.yaml --timeout 60s

# The same file on RISC-V.
demo-riscv: $(VENV)/.installed
	$(BIN)/baonet run configs/ping-pong.yaml --set platform=qemu-riscv64-virt --timeout 60s

# As many at once as the host has CPUs; who has more than eight gains nothing from the rest.
PARALLEL := -n auto --maxprocesses 8 --dist worksteal

test: $(VENV)/.tested
	$(BIN)/pytest $(PARALLEL)

# The same in more shapes than there is time for in the default tests, and properties with all their examples.
slow: $(VENV)/.tested
	$(BIN)/pytest $(PARALLEL) --hypothesis-profile whole \
		-m "slow and not long or hypothesis and not (guests or hosts or long)"

# Third-party guests from Debian: Linux of both architectures, PREEMPT_RT, U-Boot, an installer.
guests: $(VENV)/.tested
	tests/guests/fetch || test $$? -eq 75
	$(BIN)/pytest $(PARALLEL) -m guests

# Nodes, and what launches them (sshd, Slurm, Ray), on hosts that are network namespaces. As root; .ci/run has what is to be
# installed, and what is not there is skipped and says so.
hosts: $(VENV)/.tested
	$(BIN)/pip install --quiet --group hosts
	$(BIN)/pytest -m hosts

# The engine built with ASan and UBSan, in a copy of the package, under the tests of the core. Leaks are not looked for:
# the interpreter keeps what it has to its end. Python's own allocator would hide the ends of its objects. The fuzz asks
# capstone, which is loaded in a way (RTLD_DEEPBIND) that ASan does not bear.
SANITIZED := build/sanitize
SANITIZED_TESTS := not long and not slow
sanitize: $(VENV)/.tested
	rm -rf $(SANITIZED) && mkdir -p $(SANITIZED)
	cp -r setup.py pyproject.toml README.md LICENSE baonet tests $(SANITIZED) && find $(SANITIZED) -name "*.so" -delete
	BAONET_PURE=1 CFLAGS="-Werror -DCHECK_COMMON_BLOCKS -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
		$(BIN)/pip wheel --quiet --no-deps --wheel-dir $(SANITIZED)/wheel $(SANITIZED)
	$(BIN)/python -m zipfile -e $(SANITIZED)/wheel/*.whl $(SANITIZED)
	cd $(SANITIZED) && LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
		$(CURDIR)/$(BIN)/python -m pytest $(PARALLEL) -m "$(SANITIZED_TESTS)" tests/core \
		--ignore tests/core/test_fuzz.py --timeout 600

# What a wheel installs, compiled, over a copy of the package, its tests and its benchmarks.
COMPILED := build/compiled-package
$(COMPILED)/.built: $(VENV)/.tested setup.py pyproject.toml $(NATIVE) $(shell find baonet benchmarks tests -name "*.py")
	rm -rf $(COMPILED) && mkdir -p $(COMPILED)
	cp -r setup.py pyproject.toml README.md LICENSE baonet benchmarks configs docs examples tests $(COMPILED)
	find $(COMPILED) -name "*.so" -delete
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir $(COMPILED)/wheel $(COMPILED)
	$(BIN)/python -m zipfile -e $(COMPILED)/wheel/*.whl $(COMPILED)
	$(BIN)/python -m compileall -q $(COMPILED)/baonet # as pip does when it installs
	touch $@

# The tests of what is compiled and of digests. The page of the protocol is made of docstrings, which no compiled class has.
compiled: $(COMPILED)/.built
	cd $(COMPILED) && PYTHONPATH=$(CURDIR)/$(COMPILED) $(CURDIR)/$(BIN)/python -m pytest $(PARALLEL) tests/hyp tests/wire \
		tests/actors tests/truth tests/architecture/test_compiled.py \
		$(addprefix tests/system/test_,virtual.py travel.py replay.py guests.py) \
		--deselect tests/wire/test_codec.py::test_the_page_is_current

# The engine without a warning, in a build of its own: who installs it may have a compiler that warns of more.
STRICT := build/strict
$(STRICT)/.built: $(VENV)/.checked setup.py $(NATIVE)
	rm -rf $(STRICT) && mkdir -p $(STRICT)
	cp -r setup.py pyproject.toml README.md LICENSE baonet $(STRICT)
	BAONET_PURE=1 CFLAGS="-Werror" $(BIN)/pip wheel --quiet --no-deps --wheel-dir $(STRICT)/wheel $(STRICT)
	touch $@

lint: $(VENV)/.checked $(STRICT)/.built
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.checked
	$(BIN)/mypy

# BENCH has arguments, as in: make bench BENCH="--only sgi --repeat 9"
bench: $(COMPILED)/.built
	cd $(COMPILED) && BAONET_GUESTS=$(CURDIR)/tests/guests/cache PYTHONPATH=$(CURDIR)/$(COMPILED) \
		$(CURDIR)/$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.checked
	$(BIN)/python -m baonet.config.reference > docs/configuration.md
	$(BIN)/python -m baonet.wire.reference > docs/protocol.md
	$(BIN)/python -m tests.architecture.picture
	$(BIN)/python -m tests.system.round_picture
	$(BIN)/python -m benchmarks.history

clean:
	rm -rf $(VENV) build *.egg-info
	find baonet/core -name "*.so" -delete

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml setup.py $(NATIVE)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --group test
	touch $@

$(VENV)/.checked: $(VENV)/.tested
	$(BIN)/pip install --quiet --group check
	touch $@
