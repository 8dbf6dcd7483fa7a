"""What `Servers.list` may be asked for."""

import pytest

from serverdomain import InvalidInput, Servers


@pytest.mark.parametrize("field", ["name", "image_id", "project_id"])
def test_text_without_a_utf_8_form_is_refused_by_name(field: str) -> None:
    with Servers.open("memory:") as servers, pytest.raises(InvalidInput, match=f"^{field}: "):
        servers.list(**{field: "\udcff"})
