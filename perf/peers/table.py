"""The table of peers. To add one, write a context manager that yields an Enhance and add a row."""

from perf.peers import Peer, classical, script, served

PEERS = (
    Peer(
        "Pillow alone", ("unedited",), classical.opened_unedited, "reads and writes the photo, which every way has to"
    ),
    Peer(
        "OpenCV exposure fusion", ("classical",), classical.opened, "Mertens on exposures developed from the one photo"
    ),
    Peer("script", ("fast", "full"), script.opened, "both networks in PyTorch eager, curves by its tensors, Pillow"),
    Peer(
        "FastAPI", ("fast", "full"), served.fastapi, "the service's engine and arithmetic behind uvicorn, Pillow, HTTP"
    ),
    Peer(
        "pytriton binding", ("fast", "full"), served.pytriton, "the same function bound to the same tritonserver, gRPC"
    ),
    Peer("this project", ("fast", "full"), served.project, "Triton ensemble, gRPC"),
)
