"""What answers the same bytes and does nothing else: starlette as its tutorial has it.

``GET /`` says hello in a body of a server's size, ``POST /`` parses a body and answers another. Run
as a process, under the very server that ``serverdomain serve`` runs under.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serverdomain.adapters.http.serving.server import listen, serve


def bare(answer: bytes) -> Starlette:
    """An app whose answers are this JSON document."""
    document = json.loads(answer)

    async def hello(request: Request) -> Response:
        return Response(answer, media_type="application/json")

    async def post(request: Request) -> Response:
        json.loads(await request.body())
        return JSONResponse(document, 202)

    return Starlette(routes=[Route("/", hello), Route("/", post, methods=["POST"])])


def main() -> None:
    """Serve the document in a file until somebody says that it is enough."""
    listener = listen("127.0.0.1", 0)
    print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
    serve(bare(Path(sys.argv[1]).read_bytes()), listener, ready=lambda: None)


if __name__ == "__main__":
    main()
