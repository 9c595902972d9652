"""What stops or kills the server in the middle of a batch."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from perf.faults.probe import Probe
from perf.faults.row import Row
from perf.faults.service import Service
from perf.faults.shoot import Shoot, finish

AWAY_S = 3.0
MODELS = ("decode", "tiler", "generator", "encode")


def kill_model(service: Service, model: str) -> None:
    """SIGKILL to one of a model's processes."""
    service.kill(next(stub for instance, stub in service.stubs().items() if instance.startswith(model)))


def kill_server(service: Service) -> None:
    """SIGKILL to tritonserver."""
    service.kill(service.server)


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
    return Row(
        name, photos, answered, twice=twice, recovered_s=probe.recovered_s, note=f"exit code {code}" if code else ""
    )


FAULTS: dict[str, Callable[[], Row]] = {
    **{
        f"{model}-killed": partial(
            during_a_batch, f"model `{model}` killed (SIGKILL)", partial(kill_model, model=model)
        )
        for model in MODELS
    },
    "server-killed": partial(during_a_batch, "server killed (SIGKILL)", kill_server),
    "server-restarted": partial(during_a_batch, f"server stopped, started {AWAY_S:.0f} s later", restart),
}
