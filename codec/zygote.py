"""The process that workers are forked from: it has imported what they need, so a new one takes milliseconds.

    python -m codec.zygote SOCKET DEVICE

Its model asks over the socket, a packet at a time: ``fork`` with the worker's end of a connection, answered with the
worker's process ID; ``end PID``, which kills and answers with the exit code, negative for a signal. Since it alone
waits for its children, an ID stays theirs until then.
"""

import gc
import os
import signal
import socket
import sys
import traceback

from codec import readers  # noqa: F401  (imported here for all workers)
from codec.dali import JpegReader, find_only_jpeg_decoders
from codec.worker import end_with_parent, serve

MESSAGE_BYTES = 64


def main() -> None:
    """Serve until the model hangs up."""
    control, device = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the launcher's
    gc.freeze()  # what is imported stays shared with the workers
    while True:
        message, handles, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not message:
            return
        if handles:
            answer = _fork(control, handles[0], device)
            os.close(handles[0])
        else:
            answer = _end(int(message.split()[1]))
        control.send(str(answer).encode())


def _fork(control: socket.socket, handle: int, device: str) -> int:
    """The worker's process ID. In the worker itself this does not return."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            end_with_parent()
            control.close()
            find_only_jpeg_decoders(device)
            serve(socket.socket(fileno=handle), JpegReader(device), writes_files=device == "mixed")
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _end(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    main()
