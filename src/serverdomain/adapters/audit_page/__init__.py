"""The audit page: what the log remembers, for people with a browser (extra ``audit``)."""

try:
    import jinja2  # noqa: F401
    import starlette  # noqa: F401

    from serverdomain.adapters.audit_page import charts  # noqa: F401
except ModuleNotFoundError as missing:
    from serverdomain.errors import ExtraMissing

    raise ExtraMissing("the audit page", missing.name, "audit") from None

from serverdomain.adapters.audit_page.app import AuditApp, audit_app

__all__ = ["AuditApp", "audit_app"]
