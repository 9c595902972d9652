"""Put a validated run where Triton looks, and take it back: the only writer into the networks' version folders.

Triton serves the highest numbered version (its default policy, latest). A new run becomes a new version of both
networks under one number, each written beside and renamed, so a crash at any moment leaves whole models. Rolling back
renames the highest version to ``withdrawn-N``, which Triton ignores, and the one below serves again. Whoever asks the
networks asks for a version that both have (:mod:`serving.versions`): between the two renames photos may be refused,
never edited by networks of two runs.

A style of a name has models of its own, made when it is first published: their configuration and code are links to
those of the default style, and everything above holds for them alone.
"""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from export.contract import Contract
from export.errors import ExportError
from export.graph import check_contract, load_onnx
from export.manifest import Run
from files.digest import sha256
from files.writing import write_whole
from serving.cards import CARD_NAME
from serving.versions import DEFAULT_STYLE, NETWORKS, ONNX_NAME, model_names, styles, versions

WITHDRAWN = "withdrawn-"
STYLE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
CONFIGURATION = ("config.pbtxt", "configs")
Files: TypeAlias = dict[str, Path]
"""Files of a run by the name that they are served under."""


def publish(
    run: Run,
    contracts: Sequence[Contract],
    repository: Path,
    version: int | None = None,
    style: str = DEFAULT_STYLE,
) -> list[Path]:
    """Copy a run's validated files into version folders, one for each network, under the same number.

    Args:
        run: whose files; ``card.txt`` among them, a few words on the style, is served with the networks.
        contracts: of all networks; the configurations that the files must match.
        repository: holds the models.
        version: replaces this version's files; without it the run's own version gains what it lacks, or a new one
            is made.
        style: name that requests ask for.

    Returns:
        The version's folders.

    Raises:
        ExportError: anything unvalidated, changed since, or at odds with the configuration; nothing is written then.
    """
    if not STYLE_NAME.fullmatch(style):
        raise ExportError(f"style name {style!r}: use up to 32 lowercase letters, digits and '-'")
    models = model_names(style)
    files = dict(zip(models, (validated_files(run, contract) for contract in contracts), strict=True))
    number = str(version or _version_of(files, repository) or _next_version(repository, models))
    folders = {name: repository / name / number for name in models}
    for name, network in zip(models, NETWORKS, strict=True):
        _refuse_loss(folders[name], files[name], [repository / name, repository / network])
    for name, folder in folders.items():
        if folder.exists():
            for served, source in files[name].items():
                write_whole(folder / served, source.read_bytes())
    write_folders({folder: files[name] for name, folder in folders.items() if not folder.exists()})
    return list(folders.values())


def validated_files(run: Run, contract: Contract) -> Files:
    """Files of one network, each traced back to the weights through passed checks.

    Raises:
        ExportError: names the file and what is wrong with it.
    """
    model = run.file(contract.fp32_onnx, "onnx")
    weights = run.file(contract.weights, "onnx")
    _require_same(run.require_passed("check-onnx", model).inputs[weights.name], weights, model)
    check_contract(load_onnx(model), contract)
    files = {ONNX_NAME: model}
    for name in contract.plan_names.values():
        plan = run.folder / contract.in_run(name)
        if plan.exists():
            half = run.file(contract.fp16_onnx, "fp16")
            _require_same(run.require_passed("check-fp16", half).inputs[model.name], model, half)
            _require_same(run.require_passed("check-plan", plan).inputs[half.name], half, plan)
            files[name] = plan
    card = run.folder / CARD_NAME
    return files | {run.manifest.name: run.manifest} | ({CARD_NAME: card} if card.is_file() else {})


def rollback(repository: Path, style: str = DEFAULT_STYLE) -> tuple[int, int]:
    """Withdraw the highest version of a style's networks; one that a crash has left half withdrawn, too.

    Returns:
        The version withdrawn and the one that serves now.

    Raises:
        ExportError: there is no such style, or no version to go back to.
    """
    models = model_names(style)
    if style not in (known := styles(repository)) and style != DEFAULT_STYLE:
        raise ExportError(f"no style {style!r} is published in {repository}, only {', '.join(known)}")
    held = [versions(repository / name) for name in models]
    newest, common = max(set.union(*held), default=0), set.intersection(*held)
    earlier = max(common - {newest}, default=0)
    if not earlier:
        raise ExportError(f"{repository} holds version {newest or 'none'} alone: there is nothing to roll back to")
    for name in models:
        if (folder := repository / name / str(newest)).exists():
            folder.rename(folder.with_name(f"{WITHDRAWN}{newest}"))
    return newest, earlier


def _require_same(recorded: str, source: Path, made: Path) -> None:
    if sha256(source) != recorded:
        raise ExportError(f"{made} was validated against another {source.name} than the run now holds: export again")


def _next_version(repository: Path, models: Sequence[str]) -> int:
    """A number that none of these has, nor ever had."""
    taken = {0}
    for name in models:
        withdrawn = (repository / name).glob(f"{WITHDRAWN}*")
        taken |= versions(repository / name) | {int(folder.name.removeprefix(WITHDRAWN)) for folder in withdrawn}
    return max(taken) + 1


def _version_of(files: dict[str, Files], repository: Path) -> int | None:
    """Version that serves these very networks already."""
    common = set.intersection(*(versions(repository / name) for name in files))
    return next(
        (number for number in common if all(_same_model(repository / n / str(number), files[n]) for n in files)), None
    )


def _refuse_loss(folder: Path, files: Files, models: Sequence[Path]) -> None:
    """A version must not mix two runs, nor a new one leave GPUs without the plan that they have of these models."""
    newest = [model / str(max(held)) for model in models if (held := versions(model))]
    for other in dict.fromkeys([folder, *newest]):
        lost = sorted({path.name for path in other.glob("*.plan")} - files.keys())
        joined = other.parent == folder.parent and _same_model(other, files)
        if lost and not joined:
            raise ExportError(f"{other} serves {', '.join(lost)}, which this run lacks: build it first (make plan)")


def _same_model(folder: Path, files: Files) -> bool:
    served = folder / ONNX_NAME
    return served.exists() and sha256(served) == sha256(files[ONNX_NAME])


def write_folders(contents: dict[Path, Files]) -> None:
    """Write all of them beside, then put them in place one right after the other; a model that is new as a whole."""
    staged: dict[Path, Path] = {}
    try:
        for folder, files in contents.items():
            model = folder.parent
            own = model.parent / model.name.partition("_")[0]  # in whose folder Triton looks at numbers alone
            whole = own / f".{model.name}.{folder.name}.{os.getpid()}"
            staged[whole] = folder if model.exists() else model
            beside = whole if model.exists() else whole / folder.name
            beside.mkdir(parents=True)
            for name, source in files.items():
                shutil.copyfile(source, beside / name)
            for code in sorted((own / "1").glob("*.py")):  # the CPU profile's; one copy for all styles and versions
                (beside / code.name).symlink_to(Path("..", "..", own.name, "1", code.name))
            for name in CONFIGURATION if not model.exists() else ():
                (whole / name).symlink_to(Path("..", own.name, name))
        for whole, place in staged.items():
            whole.rename(place)
    finally:
        for whole in staged:
            shutil.rmtree(whole, ignore_errors=True)
