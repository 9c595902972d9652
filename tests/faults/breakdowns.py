"""What stops, kills or hangs the server, or a part of it, in the middle of a batch."""

import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deploy.server.stubs import children
from tests.faults.probe import Probe
from tests.faults.row import Row
from tests.faults.service import Service
from tests.faults.shoot import Shoot, finish

AWAY_S = 3.0
MODELS = ("decode", "tiler", "generator", "refiner", "encode")
HANGS = ("decode", "tiler", "generator")


def harm_model(service: Service, model: str, harm: signal.Signals) -> None:
    """A signal to one of a model's processes."""
    service.harm(next(stub for instance, stub in service.stubs().items() if instance.startswith(model)), harm)
    service.wait_for_help()


def harm_worker(service: Service) -> None:
    """SIGKILL to a process that decodes: the oldest child of the process that decode's first instance has started."""
    (zygote,) = children(next(stub for instance, stub in service.stubs().items() if instance.startswith("decode")))
    service.harm(children(zygote)[0], signal.SIGKILL)


def harm_server(service: Service, harm: signal.Signals) -> None:
    """A signal to tritonserver."""
    service.harm(service.server, harm)
    service.wait_for_help()


def restart(service: Service) -> None:
    """The server stopped, as for an update, and started again a little later."""
    service.stop()
    time.sleep(AWAY_S)
    service.start()


def during_a_batch(name: str, breakdown: Callable[[Service], None], photos: int = 40) -> Row:
    """Break the service when a quarter of a batch is done; the batch is to end as if nothing had been."""
    with Service() as service, tempfile.TemporaryDirectory() as folder, Probe(service.grpc_url) as probe:
        shoot = Shoot(Path(folder), photos)
        batch = shoot.batch(service.grpc_url)
        shoot.wait_until_done(photos // 4)
        probe.fault()
        breakdown(service)
        code, _ = finish(batch)
        answered, twice = shoot.books()
        reloads, restarts = service.reloads(), service.restarts()
    note = "; ".join(
        [
            *([f"exit code {code}"] if code else []),
            *([f"{reloads} model loaded again"] if reloads else []),
            *([f"{restarts} restart"] if restarts else []),
        ]
    )
    return Row(name, photos, answered, twice=twice, recovered_s=probe.recovered_s, note=note)


def _harmed(name: str, breakdown: Callable[..., None], **settings: object) -> Callable[..., Row]:
    return partial(during_a_batch, name, partial(breakdown, **settings))


KILL, STOP = signal.SIGKILL, signal.SIGSTOP
FAULTS: dict[str, Callable[..., Row]] = {
    "worker-killed": _harmed("process that decodes killed", harm_worker),
    **{f"{each}-killed": _harmed(f"model `{each}` killed", harm_model, model=each, harm=KILL) for each in MODELS},
    **{f"{each}-hung": _harmed(f"model `{each}` hung (SIGSTOP)", harm_model, model=each, harm=STOP) for each in HANGS},
    "server-killed": _harmed("server killed", harm_server, harm=KILL),
    "server-hung": _harmed("server hung (SIGSTOP)", harm_server, harm=STOP),
    "server-restarted": partial(during_a_batch, f"server stopped, started {AWAY_S:.0f} s later", restart),
}
