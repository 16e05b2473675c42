"""YAML as the packs and the site's own files are written in it."""

from __future__ import annotations

from typing import Any

import yaml

# libyaml reads some ten times as fast as the reader in Python, where PyYAML was built with it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

YAMLError = yaml.YAMLError


def parse_yaml(text: str) -> Any:
    """What a text in YAML says, plain values only. Raises YAMLError."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, in C or in Python
