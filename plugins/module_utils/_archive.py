# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Importing from the archive in which Ansible sends a module, which has source but no bytecode.

zipimport compiles a source twice: to say in which file a module is, and to run it (Lib/zipimport.py, get_filename() and
get_code(), Python 3.8 to 3.14).  Finding a file's name needs no compiler.
"""

from __future__ import annotations

import gc
import os
import sys
import zipimport


class _Importer(zipimport.zipimporter):
    """zipimport's importer, without the second compilation."""

    def get_filename(self, fullname: str) -> str:
        """The file of a module. Raises ZipImportError if there is none."""
        name = fullname.rpartition(".")[2]
        stem = os.path.join(name, "__init__") if self.is_package(fullname) else name
        return os.path.join(self.archive, f"{self.prefix}{stem}.py")


def import_faster() -> None:
    """Compile later imports only once, and look for no garbage, if this file itself comes from an archive.

    Imports leave none, and the process ends long before what a run leaves would matter.
    """
    if not isinstance(globals().get("__loader__"), zipimport.zipimporter):
        return
    gc.disable()
    sys.path_hooks.insert(0, _Importer)
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]
