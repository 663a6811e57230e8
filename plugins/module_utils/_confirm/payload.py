# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The program that a host keeps to roll itself back: the code that runs now, as one file that Python can start.

A zip file with ``__main__.py``, for ``python3 -I rollback.zip``; it needs nothing but the standard library.
"""

from __future__ import annotations

import io
import os
import typing as t
import zipfile

from .. import _files
from .._errors import NoSuchFile

_TOP = "ansible_collections"
_PACKAGE = f"{_TOP}/nettune/tcp/plugins/module_utils/"

Source = t.Tuple[str, bytes]  # path inside the archive, content


def build(run: str) -> bytes:
    """The program for one run.  Raises NettuneError if its code may not be root's."""
    from . import expire  # and with it the rollback, which until then is only sent along

    sources = dict(_sources())
    for path in list(sources):
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            sources.setdefault("/".join([*parts[:depth], "__init__.py"]), b"")
    sources["__main__.py"] = f"import sys\nfrom {expire.__name__} import main\nsys.exit(main({run!r}))\n".encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(sources):
            archive.writestr(path, sources[path])
    return stream.getvalue()


def _sources() -> t.Iterator[Source]:
    """Where this collection was loaded from: the archive that Ansible sent, or a directory."""
    archive = getattr(globals().get("__loader__"), "archive", None)
    if archive:
        with zipfile.ZipFile(io.BytesIO(_read(archive))) as opened:
            for path in opened.namelist():
                if path.startswith(_PACKAGE) and path.endswith(".py"):
                    yield path, opened.read(path)
        return
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for directory, _directories, names in os.walk(package):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                yield _PACKAGE + os.path.relpath(path, package), _read(path)


def _read(path: str) -> bytes:
    """A file of code that root will run later: nobody else may have put it there."""
    content = _files.read(path, trust=_files.Trust.ROOT)
    if content is None:
        raise NoSuchFile(f"{path}, from which this runs, is gone", path=path)
    return content
