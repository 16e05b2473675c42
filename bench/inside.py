"""Requests answered inside this process, by the application itself: how many queries, and how much processor time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

from bench.client import Answer, Ask

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def call(application: Application, ask: Ask) -> Answer:
    """What the application answers, without a server and without a line."""
    path, _mark, query = ask.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": ask.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "CONTENT_LENGTH": str(len(ask.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(ask.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if ask.cookie:
        environ["HTTP_COOKIE"] = ask.cookie
    for name, value in ask.headers:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    heads: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_more: object) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        heads.append("\r\n".join(lines).encode())

    body = application(environ, start_response)
    try:
        whole = b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close:
            close()
    return Answer(heads[0], whole)


def count_queries(application: Application, ask: Ask) -> int:
    """How many statements one answer takes; those that begin and end a transaction count too."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench.client import check

    with CaptureQueriesContext(connection) as captured:
        answer = call(application, ask)
    check(ask, answer)
    return len(captured)
