"""Runs the check over the packs named, or over all; exit status 1 where anything was found."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folders: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Only files are read. What settings ask of a site in service is not needed for that.
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("SECRET_KEY", "only-files-are-read-here")
    import django

    django.setup()
    from django.utils import translation

    from modules.packcheck.check import check_packs, find_packs

    known = find_packs()
    paths = [Path(folder).resolve() for folder in folders] or known
    missing = [str(path) for path in paths if not (path / "pack.yaml").is_file()]
    if missing:
        print(f"No pack.yaml in {', '.join(missing)}. Name the folder of a pack.", file=sys.stderr)
        return 2
    with translation.override("en"):
        findings = check_packs(paths, beside=known)
    for finding in findings:
        print(finding)
    told = "nothing to mend" if not findings else f"{len(findings)} to mend"
    print(f"{len(paths)} packs read, {told}.", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
