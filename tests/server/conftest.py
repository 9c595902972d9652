"""What of these tests can be asked of a server that runs already (--url, --profile gpu)."""

import pytest

from clients.request import Options
from tests.running import Running


@pytest.fixture(autouse=True)
def suited(request: pytest.FixtureRequest, running: Running | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip what needs a server of its own; ask for no edit where a test expects networks that change nothing."""
    if running is None:
        return
    if request.node.get_closest_marker("own_server") or "identity_repository" in request.fixturenames:
        pytest.skip("needs a server of its own, of the CPU profile")
    if "identity_server" in request.fixturenames:
        parameters = Options.parameters
        monkeypatch.setattr(Options, "parameters", lambda options: parameters(options) | {"strength": "0"})
