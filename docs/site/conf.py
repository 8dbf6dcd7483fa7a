"""How Sphinx builds the site: pages in Markdown, the reference from docstrings, nothing foreign."""

from importlib.metadata import version as _version

project = "serverdomain"
author = copyright = "The serverdomain developers"
version = release = _version("serverdomain")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["**/README.txt"]
myst_heading_anchors = 4
# In a docstring `this` is a name of ours, and said as code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
toc_object_entries = False
# What is shown may be cut by dots, which are in no language.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "serverdomain"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
pygments_dark_style = "a11y-high-contrast-dark"
html_last_updated_fmt = None
