"""``python -m export``: from weights to what Triton serves, one validated step after the other."""

import argparse
import sys
from pathlib import Path

from command_line import Parser
from command_line.ending import finish
from export import publish
from export.contract import REPOSITORY, Contract, read_contracts
from export.manifest import Run
from export.tiles import SAMPLES
from serving.versions import DEFAULT_STYLE

DESCRIPTION = """\
steps, in order; each is made for both networks (generator, refiner), writes into artifacts/RUN/ and records itself in
manifest.json:
  onnx        weights -> cleaned FP32 ONNX
  check-onnx  FP32 ONNX against PyTorch
  fp16        weights -> FP16 ONNX, what a GPU runs
  check-fp16  FP16 ONNX against FP32
  plan        FP16 ONNX -> TensorRT plan, on the machine that serves
  check-plan  plan against FP32 ONNX, precision of its layers, time per batch
  publish     validated files -> model_repository/{generator,refiner}/VERSION/, or those of the style that is named

  all         the steps that need no GPU: onnx to check-fp16, publish
  all-gpu     the steps after them that do: plan, check-plan, publish
  rollback    withdraw the newest published version
"""
GPU_STEPS = ("plan", "check-plan", "publish")
CPU_STEPS = ("onnx", "check-onnx", "fp16", "check-fp16", "publish")
GROUPS = {"all": CPU_STEPS, "all-gpu": GPU_STEPS}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = Parser(
        prog="python -m export", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="STEP")
    for name in dict.fromkeys((*CPU_STEPS, *GPU_STEPS, *GROUPS)):
        command = commands.add_parser(name)
        steps = GROUPS.get(name, (name,))
        command.add_argument("--run", required=True, help="name of the run's folder in artifacts/")
        if "onnx" in steps:
            command.add_argument(
                "--weights",
                type=Path,
                help="folder of generator.safetensors and refiner.safetensors (default: the run's own, which training "
                "has left there, and the shipped one where it has none)",
            )
        if any(step.startswith("check") for step in steps):
            command.add_argument(
                "--photos", type=Path, default=SAMPLES, help="photos to check on (default: %(default)s)"
            )
        if "publish" in steps:
            command.add_argument("--version", type=int, help="replace this version (default: a new one)")
            _add_style(command)
    _add_style(commands.add_parser("rollback"))
    return parser.parse_args(arguments)


def _add_style(command: argparse.ArgumentParser) -> None:
    command.add_argument("--style", default=DEFAULT_STYLE, help="name that requests ask for (default: %(default)s)")


def run_command(arguments: argparse.Namespace) -> None:
    """Run one step, or a group of them."""
    if arguments.command == "rollback":
        withdrawn, serving = publish.rollback(REPOSITORY, arguments.style)
        print(f"withdrew version {withdrawn}; version {serving} serves after a restart of the server")
        return
    contracts, run = read_contracts(), Run(arguments.run)
    for step in GROUPS.get(arguments.command, (arguments.command,)):
        if step == "publish":
            made = publish.publish(run, contracts, REPOSITORY, arguments.version, arguments.style)
            print(f"publish: {', '.join(map(str, made))}")
            continue
        for contract in contracts:
            print(f"{step}: {run_step(step, run, contract, arguments)}", flush=True)


def run_step(step: str, run: Run, contract: Contract, arguments: argparse.Namespace) -> Path:
    """Run one step for one network and return what it made or checked. Its module loads now: plans need no torch."""
    if step in GPU_STEPS:
        from export import plan

        return (
            plan.plan_step(run, contract) if step == "plan" else plan.check_plan_step(run, contract, arguments.photos)
        )
    from export import steps

    match step:
        case "onnx":
            return steps.onnx_step(run, contract, arguments.weights)
        case "check-onnx":
            return steps.check_onnx_step(run, contract, arguments.photos)
        case "fp16":
            return steps.fp16_step(run, contract)
        case _:
            return steps.check_fp16_step(run, contract, arguments.photos)


if __name__ == "__main__":
    sys.exit(finish(lambda: run_command(parse_arguments())))
