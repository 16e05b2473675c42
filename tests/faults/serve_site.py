"""The site as `make run` starts it, over a database that a test has filled: its starting content is not loaded."""

from __future__ import annotations

from config import serve

_run_step = serve.run_step


def _run_without_content(part: str) -> None:
    if part != "content":
        _run_step(part)


if __name__ == "__main__":
    serve.run_step = _run_without_content
    serve.main()
