# Needs only make and Python 3.11 or newer: the rest is installed under .venv/ from requirements/*.txt.
PYTHON ?= python3
IN = $(PYTHON) tools/environment.py

LOCKS = audit test site molecule engines mutation importer lock
CORES = 2.19:3.11 2.20:3.12 2.21:3.12 2.22:3.13
yes = $(if $(filter 1 true yes on,$(1)),true,false)

.DEFAULT_GOAL := help
.PHONY: help audit test quick lint docs unit sanity build browser cores integration molecule fleet engines vm mutation format lock site release changelog clean

help: ## Say what can be made
	@sed -n 's/^\([a-z ]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{gsub(" ", "|", $$1); printf "make %-58s %s\n", $$1, $$2}'

audit: ## Audit this machine (FAIL_ON_FINDINGS=1: exit non-zero on findings)
	@ANSIBLE_REMOTE_TMP="$(CURDIR)/.work/ansible/tmp" $(IN) audit ansible-playbook -i localhost, -c local \
	  -e '{ansible_python_interpreter: "{{ ansible_playbook_python }}"}' \
	  -e tcp_audit_fail_on=$(if $(filter true,$(call yes,$(FAIL_ON_FINDINGS))),info,none) nettune.tcp.audit

test: ## Run every check and test there is
	@$(IN) test python -m tools.run_tests

quick: ## Run what takes less than a minute: style, types, YAML and unit tests
	@$(IN) test python -m tools.run_tests --only ruff mypy yamllint unit

lint docs unit sanity build browser cores integration molecule fleet engines vm: ## Run only this part of the tests
	@$(IN) test python -m tools.run_tests --only $@

mutation: ## Say which faults in the pure parts no unit test notices (MODULES="_sysctl/guards _want": in these only)
	@$(IN) mutation python -m tools.mutation $(MODULES)

format: ## Lay out the Python code and mend what ruff can mend
	@$(IN) test ruff format
	@$(IN) test ruff check --fix

lock: ## Renew the locks in requirements/
	@for name in $(LOCKS); do $(IN) lock uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
	  requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done
	@for core in $(CORES); do name=core-$${core%:*}; $(IN) lock uv pip compile --quiet --upgrade --universal \
	  --python-version $${core#*:} --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
	  requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done

site: ## Build the documentation site in .work/site/html
	@$(IN) test python -m tools.site

release: ## Make the release VERSION: changelog, artifact, checked install, SHA-256
	@$(IN) test python -m tools.release $(VERSION)

changelog: ## Turn changelogs/fragments into a release's CHANGELOG.md
	@$(IN) test antsibull-changelog release

clean: ## Remove everything that is not part of the checkout
	rm -rf .venv .work .ansible reports
