# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The running kernel's settings, read and written one file each under ``/proc/sys``."""

from __future__ import annotations

import errno
import os
import re
import typing as t

from .._errors import BadRequest, KernelRefused, MissingRight, Unsupported
from .._transaction import Step

ROOT = "/proc/sys"
_PAGE = 4096  # the smallest of any architecture
_SWAP = str.maketrans("./", "/.")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-:@./]*\Z")


def canonical(key: str) -> str:
    """The one spelling of keys used here: dots between the parts, a dot inside a part as a slash.

    The first separator decides how the others are read, as in sysctl.d(5): ``net/ipv4/conf/eth0.5/rp_filter`` and
    ``net.ipv4.conf.eth0/5.rp_filter`` are the same key.  Raises BadRequest on an impossible name.
    """
    refusal = BadRequest(f"{key!r} is not the name of a sysctl", key=key)
    if not _NAME.match(key):
        raise refusal
    slash_first = key.partition(".")[0].find("/") >= 0
    dotted = key.translate(_SWAP) if slash_first else key
    parts = dotted.split(".")
    # A part of slashes alone would be a ".." on the way to the file.
    if len(parts) < 2 or any(not part or part.startswith("/") for part in parts):
        raise refusal
    return dotted


def path_of(key: str, root: str = ROOT) -> str:
    """Where the kernel shows a canonical key."""
    return os.path.join(root, key.translate(_SWAP))


def read(key: str, root: str = ROOT) -> t.Optional[str]:
    """The running value as the kernel prints it, or None if this kernel or namespace has no such key.

    Raises MissingRight if it may not be read, as with a write-only key, and Unsupported if there are no sysctls.
    """
    try:
        return _whole(path_of(key, root)).decode("ascii", "surrogateescape").rstrip("\n")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if not os.path.isdir(root):
            raise Unsupported(f"{root} is not there: /proc is not mounted here, or without it (subset=pid)") from None
        return None
    except PermissionError as exc:
        raise MissingRight(f"{key} cannot be read: {exc.strerror}", key=key) from exc
    except OSError as exc:
        raise KernelRefused(f"{key} cannot be read: {exc.strerror}", key=key) from exc


def _whole(path: str) -> bytes:
    """Everything that the kernel returns: of a set of ports it gives what fits into one read(2), and no second one."""
    size = _PAGE
    while True:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, size)
        finally:
            os.close(descriptor)
        if len(content) < size:
            return content
        size *= 16


def writable(key: str, root: str = ROOT) -> bool:
    """Whether the kernel would let this process write the key: not in a read-only mount, not for lack of rights."""
    return os.access(path_of(key, root), os.W_OK)


def write(key: str, text: str, root: str = ROOT) -> None:
    """Give the kernel a value, in one write(2) if it fits into a page.

    Of a longer set of ports the kernel takes a page at a time, and adds to the set what comes later in the same file
    (kernel/sysctl.c ``proc_do_large_bitmap``).  Raises KernelRefused or MissingRight with the kernel's own reason.
    """
    try:
        descriptor = os.open(path_of(key, root), os.O_WRONLY | os.O_TRUNC)
    except FileNotFoundError as exc:
        raise Unsupported(f"{key} does not exist in this kernel or namespace", key=key) from exc
    except OSError as exc:
        raise refused(key, text, exc) from exc
    try:
        # Python's buffered files report the kernel's answer only at close, and may write in pieces.
        for piece in _pieces(text.encode("utf-8", "surrogateescape")):
            os.write(descriptor, piece + b"\n")
    except OSError as exc:  # ENOENT too, for a congestion control that does not exist
        raise refused(key, text, exc) from exc
    finally:
        os.close(descriptor)


def _pieces(content: bytes) -> t.Iterator[bytes]:
    """The content in pieces that fit into a page with a line break, cut at commas."""
    while len(content) >= _PAGE - 1:
        cut = content.rfind(b",", 0, _PAGE - 1)
        if cut < 0:
            break
        yield content[:cut]
        content = content[cut + 1 :]
    yield content


def first_page(text: str) -> str:
    """What a program sets that writes a set of ports with a single write(2)."""
    return next(_pieces(text.encode())).decode()


def beginnings(text: str) -> t.List[str]:
    """What the kernel may be left with of a long set of ports, where a write ends between two pages."""
    pieces = [piece.decode("utf-8", "surrogateescape") for piece in _pieces(text.encode("utf-8", "surrogateescape"))]
    return [",".join(pieces[:count]) for count in range(1, len(pieces))]


def refused(key: str, text: str, exc: OSError) -> t.Union[KernelRefused, MissingRight]:
    """The error for the kernel's answer to a value."""
    if exc.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0:
        return MissingRight(f"writing {key} needs root, uid {os.geteuid()} may not", key=key, value=text)
    return KernelRefused(f"the kernel refused {key} = {text}: {exc.strerror}", key=key, value=text)


def step(key: str, before: str, after: str, root: str = ROOT) -> Step:
    """The write as a step that writes the old text back when undone."""
    return Step(
        what=f"{key} = {after}",
        do=lambda: write(key, after, root),
        undo=lambda: write(key, before, root),
    )


def boot_id() -> t.Optional[str]:
    """What changes with each boot."""
    return read("kernel.random.boot_id")
