"""The tritonserver in the PyPI wheel nvidia-pytriton: where its parts lie, and how they are put together.

The wheel brings the server, its Python backend and one stub process program for each Python version.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from command_line.ending import UserError

QUERY = """
import json, pathlib, sys, sysconfig
print(json.dumps({
    "site": sysconfig.get_path("purelib"),
    "version": "%d.%d" % sys.version_info[:2],
    "library": str(pathlib.Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME") or "")),
}))
"""


class LaunchError(UserError):
    """The server cannot be started; the message says what to do."""


@dataclass(frozen=True)
class Wheel:
    """Where the wheel's parts lie, for one server interpreter."""

    server: Path
    libraries: Path
    backend: Path
    stub: Path
    python_library: Path

    @classmethod
    def of(cls, python: Path) -> "Wheel":
        """Ask a server interpreter where its wheel is.

        Raises:
            LaunchError: no such interpreter, no wheel in it, or no stub for its version.
        """
        if not python.exists():
            raise LaunchError("the server's environment is missing; make it: make setup PART=server")
        answer = subprocess.run([python, "-c", QUERY], check=True, capture_output=True, text=True)
        found = json.loads(answer.stdout)
        base = Path(found["site"]) / "pytriton/tritonserver"
        stub = base / "python_backend_stubs" / found["version"] / "triton_python_backend_stub"
        if not stub.exists():
            raise LaunchError(
                f"no server for Python {found['version']} in the server's environment; "
                "make it again with Python 3.11 or 3.12: rm -r .venv-server && make setup PART=server PYTHON=python3.12"
            )
        libraries = Path(found["site"]) / "nvidia_pytriton.libs"
        return cls(base / "bin/tritonserver", libraries, base / "backends/python", stub, Path(found["library"]))

    def environment(self, python: Path) -> dict[str, str]:
        """Environment of the server's process."""
        libraries = [str(self.libraries)]
        if self.python_library.suffix != ".a":  # an interpreter of its own brings its library; else the system has it
            libraries.append(str(self.python_library.parent))
        return os.environ | {
            "PATH": f"{python.parent}:{os.environ['PATH']}",  # the stub takes its packages from the first python3
            "LD_LIBRARY_PATH": ":".join(libraries),
            "CUDA_VISIBLE_DEVICES": "",
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # 2 MB pages for photos: far fewer faults
            "OPENBLAS_NUM_THREADS": "1",  # small matrices, and the cores belong to the generator
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def make_backends(self, directory: Path) -> None:
        """Put the Python backend together: the wheel keeps the stubs of all Python versions elsewhere."""
        shutil.copytree(self.backend, directory / "python")
        shutil.copy(self.stub, directory / "python")
