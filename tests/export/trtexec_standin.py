"""A stand-in for trtexec that knows exactly the documented options, and fails as the real one does.

``TRTEXEC_MAJOR`` chooses 10 or 11; ``TRTEXEC_FAILURE`` a way to fail. Its plan is a JSON file that says which ONNX it
is of and in which precision its convolutions run: that of the graph where typing is strong, FP32 otherwise.
"""

import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).parent))
from trtexec_flags import BANNERS, FLAGS

FAILURES = {
    "no-gpu": "[E] Cuda failure: no CUDA-capable device is detected",
    "out-of-memory": "[E] [TRT] [defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)",
    "old-parser": "[W] ONNX model has a newer ir_version (0.0.10) than this parser was built against (0.0.8).",
    "other": "[E] Engine could not be created from network",
}
MAJOR = int(os.environ["TRTEXEC_MAJOR"])
FAILURE = os.environ.get("TRTEXEC_FAILURE", "")


def parse(arguments: list[str]) -> dict[str, str]:
    options = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name + equals not in FLAGS[MAJOR] or bool(equals) != bool(value):
            fail(f"[E] Unknown option: {argument}")
        options[name] = value
    return options


def fail(line: str) -> None:
    print(line)
    print(f"&&&& FAILED TensorRT.trtexec [TensorRT {BANNERS[MAJOR]}]")
    raise SystemExit(1)


def read_shapes(spec: str) -> dict[str, list[int]]:
    shapes = {}
    for part in spec.split(","):
        if not (match := re.fullmatch(r"(\w+):(\d+(?:x\d+)*)", part)):
            fail(f"[E] Invalid shape {part}")
        shapes[match[1]] = [int(size) for size in match[2].split("x")]
    return shapes


def build(options: dict[str, str]) -> None:
    model = onnx.load(options["--onnx"])
    low, best, high = (read_shapes(options[name]) for name in ("--minShapes", "--optShapes", "--maxShapes"))
    names = {value.name for value in model.graph.input}
    if not names == low.keys() == best.keys() == high.keys():
        fail("[E] Cannot find input tensor with given name in the engine bindings")
    if not all(low[name][0] <= best[name][0] <= high[name][0] for name in names):
        fail("[E] Dynamic dimensions are not in order")
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.graph.initializer)
    strong = MAJOR >= 11 or "--stronglyTyped" in options
    plan = {
        "onnx": hashlib.sha256(Path(options["--onnx"]).read_bytes()).hexdigest(),
        "precision": "Half" if half and strong else "Float",
        "convolutions": [node.name for node in model.graph.node if node.op_type == "Conv"],
    }
    cache = Path(options["--timingCacheFile"])
    print("[I] timing cache", "loaded" if cache.exists() else "made")
    cache.write_text("timings")
    Path(options["--saveEngine"]).write_text(json.dumps(plan))


def run(options: dict[str, str]) -> None:
    plan = json.loads(Path(options["--loadEngine"]).read_text())
    Path(options["--exportLayerInfo"]).write_text(json.dumps(layer_information(plan)))
    Path(options["--exportTimes"]).write_text(json.dumps([{"computeMs": ms, "latencyMs": ms} for ms in (2, 1, 3)]))


def layer_information(plan: dict) -> dict:
    text = {"Half": "FP16", "Float": "FP32"}[plan["precision"]]
    if MAJOR == 10:
        tensor, ends = {"Format/Datatype": f"Row major linear {text} format"}, {"Bindings": ["COARSE", "CURVES"]}
    else:
        tensor, ends = (
            {"Format": "Row major linear", "DataType": plan["precision"]},
            {"I/O Tensors": [{"Name": "COARSE"}]},
        )
    layers = [
        {"Name": f"__myl_Conv_{number}", "LayerType": "gemm", "Metadata": f"[ONNX Layer: {name}]"}
        | {"Inputs": [tensor], "Outputs": [tensor]}
        for number, name in enumerate(plan["convolutions"])
    ]
    return {"Layers": [{"Name": "move", "LayerType": "Reformat"}, *layers], **ends}


def main() -> None:
    print(f"&&&& RUNNING TensorRT.trtexec [TensorRT {BANNERS[MAJOR]}] [b1] # {' '.join(sys.argv)}", flush=True)
    options = parse(sys.argv[1:])
    if "--help" in options:
        print("\n".join(f"  {flag:30} documented" for flag in sorted(FLAGS[MAJOR])))
        return
    if FAILURE == "hang":
        Path(options["--saveEngine"]).write_text("half a plan")
        time.sleep(60)
    if FAILURE == "killed":
        Path(options["--saveEngine"]).write_text("half a plan")
        os.abort()
    if FAILURE:
        fail(FAILURES[FAILURE])
    (build if "--onnx" in options else run)(options)
    print(f"&&&& PASSED TensorRT.trtexec [TensorRT {BANNERS[MAJOR]}]")


if __name__ == "__main__":
    main()
