# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of Sphinx; tools/site.py puts together what it reads."""

project = "nettune.tcp"
author = "the nettune.tcp contributors"
project_copyright = "2026, the nettune.tcp contributors"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
exclude_patterns = ["collections/environment_variables.rst"]
# Names of other collections lead to pages that are not part of this site.
suppress_warnings = ["ref.ref"]

html_theme = "furo"
html_title = "nettune.tcp"
html_copy_source = False
html_show_sphinx = False
