# The commands of this project. `make run` and `make test` work on a fresh machine: each sets up what it needs.
.PHONY: help setup setup-test run test suite check format messages

PYTHON_VENV := .venv/bin/python

help:
	@echo "make run                  the whole site with demo data on this machine; ARGS='--port 9000 --fresh'"
	@echo "make test                 every check and every test, on SQLite and on PostgreSQL"
	@echo "make check                style, types, layers, migrations, deployment, translations, links"
	@echo "make setup                only the system packages, .venv and the locked requirements"
	@echo "make suite ARGS='...'     pytest alone, on SQLite"
	@echo "make format               lets ruff lay out the code"
	@echo "make messages             reads the texts of the code into every catalogue; NEW=fr adds a language"

setup:
	@portal/deploy/setup.sh run

setup-test:
	@portal/deploy/setup.sh test

run: setup
	@$(PYTHON_VENV) manage.py quickstart $(ARGS)

test: setup-test
	@tests/run.sh all

check: setup
	@tests/run.sh check

suite: setup-test
	@tests/run.sh sqlite $(ARGS)

format: setup
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

messages: setup
	@$(PYTHON_VENV) portal/deploy/translations.py update $(NEW)
