# make run    everything is brought, then the window opens (without a display: the starter graph runs and writes files)
# make test   everything is brought, then lint, types, contracts and tests
# make bench  the benchmarks
# make peers  Blender and MeshLab, for the benchmarks only
.PHONY: run test lint bench peers
PYTHON := .venv/bin/python
XVFB := xvfb-run -a -s "-screen 0 1920x1080x24"

run:
	@sh resources/setup.sh run
	@exec $(PYTHON) main.py $(ARGS)

lint:
	@sh resources/setup.sh test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

test: lint
	@sh resources/test.sh $(ARGS)

bench:
	@sh resources/setup.sh test
	$(XVFB) $(PYTHON) -m pytest benchmarks -o python_files='bench_*.py' --benchmark-columns=min,median,ops $(ARGS)

peers:
	@sh resources/setup.sh peers
