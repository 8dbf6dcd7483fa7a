"""A process may open one store twice: neither opening takes the other's locks away."""

import subprocess
import sys

from serverdomain import CreateServer, Servers

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
COMES_AND_GOES = f"""
import sys
from serverdomain import CreateServer, Servers
with Servers.open(sys.argv[1]) as servers:
    servers.create(CreateServer(name="two", image_id="{IMAGE}", flavor_id="1"))
"""


def test_what_is_acknowledged_after_a_second_opening_outlives_another_process(tmp_path):
    # Where our locks were gone, the other process would close as if it were the last, and remove
    # the write-ahead log that we go on writing to.
    url = f"sqlite:///{tmp_path}/cloud.db"
    with Servers.open(url) as first:
        one = first.create(CreateServer(name="one", image_id=IMAGE, flavor_id="1"))
        with Servers.open(url):
            subprocess.run([sys.executable, "-c", COMES_AND_GOES, url], check=True)
            three = first.create(CreateServer(name="three", image_id=IMAGE, flavor_id="1"))
            with Servers.open(url) as fresh:
                assert [fresh.get(server.id).name for server in (one, three)] == ["one", "three"]
