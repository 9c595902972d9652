"""``python -m export``: from a checkpoint to what Triton serves, one validated step after the other."""

import argparse
import sys
from pathlib import Path

from export import publish, steps
from export.contract import MODEL_DIR, Contract, read_contract
from export.errors import ExportError
from export.manifest import Run
from export.tiles import SAMPLES

STEPS = ("onnx", "check-onnx", "fp16", "check-fp16", "publish")
DESCRIPTION = """\
steps, in order; each writes into artifacts/RUN/ and records itself in manifest.json:
  onnx        checkpoint -> cleaned FP32 ONNX
  check-onnx  FP32 ONNX against PyTorch
  fp16        FP32 ONNX -> FP16 ONNX, what a GPU runs
  check-fp16  FP16 ONNX against FP32
  publish     validated files -> model_repository/generator/<version>/
  all         the steps above
  rollback    withdraw the newest published version
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(
        prog="python -m export", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="STEP")
    for name in (*STEPS, "all"):
        command = commands.add_parser(name)
        command.add_argument("--run", required=True, help="name of the run's folder in artifacts/")
        if name in ("onnx", "all"):
            command.add_argument("--checkpoint", type=Path, required=True, help="generator weights, safetensors")
        if name in ("check-onnx", "check-fp16", "all"):
            command.add_argument(
                "--photos", type=Path, default=SAMPLES, help="photos to validate on (default: %(default)s)"
            )
        if name in ("publish", "all"):
            command.add_argument("--version", type=int, help="replace this version (default: a new one)")
    commands.add_parser("rollback")
    return parser.parse_args(arguments)


def run_command(arguments: argparse.Namespace) -> None:
    """Run one step, or all of them."""
    if arguments.command == "rollback":
        withdrawn, serving = publish.rollback(MODEL_DIR)
        print(f"withdrew version {withdrawn}; version {serving} serves after a restart of the server")
        return
    contract, run = read_contract(), Run(arguments.run)
    for command in STEPS if arguments.command == "all" else (arguments.command,):
        print(f"{command}: {_run_step(command, run, contract, arguments)}", flush=True)


def _run_step(command: str, run: Run, contract: Contract, arguments: argparse.Namespace) -> Path:
    match command:
        case "onnx":
            return steps.onnx_step(run, contract, arguments.checkpoint)
        case "check-onnx":
            return steps.check_onnx_step(run, contract, arguments.photos)
        case "fp16":
            return steps.fp16_step(run, contract)
        case "check-fp16":
            return steps.check_fp16_step(run, contract, arguments.photos)
        case _:
            return publish.publish(run, contract, MODEL_DIR, arguments.version)


def main() -> int:
    """Returns 0, or 1 after one line that says what to put right."""
    try:
        run_command(parse_arguments())
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
