"""Clients that take their answers a few bytes at a time."""

import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from clients.request import http_answer, http_request
from perf.photos import photo_file
from tests.faults.probe import Probe
from tests.faults.row import Row
from tests.faults.service import Service

READERS = 8
PHOTO_PX = (2400, 1600)
"""Its answer, a PNG, is larger than what the kernel keeps for a connection: the server has to wait."""
SLOW_S = 15.0
SIP_BYTES = 2048
SIP_S = 0.1
ANSWER_S = 600.0


def read_slowly(port: int, slow_s: float, all_answered: threading.Barrier) -> bool:
    """Ask for a large PNG, sip it for a while, then drink up; returns whether it was whole."""
    headers, body = http_request(photo_file(*PHOTO_PX), {"mode": "fast", "format": "png"}, None)
    lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    head = "\r\n".join(["POST /v2/models/enhance/infer HTTP/1.1", "Host: localhost", "Connection: close", *lines])
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        received = bytearray(connection.recv(1))
        all_answered.wait(ANSWER_S)
        end_s = time.monotonic() + slow_s
        while time.monotonic() < end_s and (sip := connection.recv(SIP_BYTES)):
            received += sip
            time.sleep(SIP_S)
        while rest := connection.recv(1 << 20):
            received += rest
    return is_whole(bytes(received))


def is_whole(answer: bytes) -> bool:
    """Whether an HTTP answer holds a picture of the right size, to the last pixel."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        return False
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    headers = {"Inference-Header-Content-Length": fields["Inference-Header-Content-Length"]}
    with Image.open(io.BytesIO(http_answer(headers, body))) as picture:
        picture.load()
        return picture.size == PHOTO_PX


def slow_readers(readers: int = READERS, slow_s: float = SLOW_S) -> Row:
    """Slow clients get their answers whole, and everybody else does not notice them."""
    with Service() as service, Probe(service.grpc_url) as probe, ThreadPoolExecutor(readers) as pool:
        all_answered = threading.Barrier(readers + 1)
        reading = [pool.submit(read_slowly, service.ports.http, slow_s, all_answered) for _ in range(readers)]
        all_answered.wait(ANSWER_S)
        probe.fault()
        whole = [each.result() for each in reading]
    note = f"{SIP_BYTES / SIP_S / 1024:.0f} KB/s for {slow_s:.0f} s; {probe.answered} photos of others meanwhile"
    return Row("slow readers", readers, sum(whole), recovered_s=probe.recovered_s, note=note)


FAULTS = {"slow-readers": slow_readers}
