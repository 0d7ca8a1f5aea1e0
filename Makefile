# Each recipe prepares .venv (standard library only) and then becomes the command behind `--`.
PYTHON ?= python3
PREPARED = exec $(PYTHON) -I platform/stackyard/start/environment.py

.PHONY: up test fuzz nemesis bench

up:  ## run it: set up what is missing, then serve in the foreground
	@$(PREPARED) --serves -- manage.py up --stop-with-parent

test:  ## test it on every database found here; ARGS go to pytest
	@$(PREPARED) --extra test -- -m tests.run $(ARGS)

fuzz: export STACKYARD_FUZZ = 1
fuzz:  ## the long form of the property tests
	@$(PREPARED) --extra test -- -m tests.run $(ARGS)

nemesis:  ## 200 faults on real processes, then nothing lost (NEMESIS_FAULTS, NEMESIS_SEED)
	@$(PREPARED) --extra test -- -m tests.nemesis

bench:  ## each benchmark against its peer in the same run, as ratios
	@$(PREPARED) -- -m benchmarks.run $(ARGS)
