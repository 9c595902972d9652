"""The same networks behind FastAPI and uvicorn: one process, a thread for each request.

python -m perf.baselines.fastapi_server MODEL_REPOSITORY PORT
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from perf.baselines.editor import Editor


def application(editor: Editor) -> FastAPI:
    """``POST /enhance?mode=full`` with a photo file as the body."""
    app = FastAPI()

    async def enhance(request: Request, mode: str = "full") -> Response:
        file = await run_in_threadpool(editor.enhance, await request.body(), mode)
        return Response(file, media_type="image/jpeg")

    app.add_api_route("/enhance", enhance, methods=["POST"])
    app.add_api_route("/v2/models/enhance/ready", lambda: "ready")
    return app


if __name__ == "__main__":
    repository, port = sys.argv[1:]
    uvicorn.run(application(Editor(Path(repository))), host="127.0.0.1", port=int(port), log_level="warning")
