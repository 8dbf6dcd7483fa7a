# %% [markdown]
# # 8. A million events
#
# **Can a list of facts hold a whole cloud, for years?**
#
# A single server is folded from a handful of facts. A fleet is folded from all of them. This notebook makes three years of a fleet
# with more than a million facts, lets a program forget everything but the log, and works it all out again. It takes a minute or
# two and half a gigabyte of disk, which it gives back at the end.

# %%
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from serverdomain import AsOf, Servers
from serverdomain.adapters.charts import steps
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log

SERVERS = 24_500
folder = TemporaryDirectory()
path = Path(folder.name, "cloud.db")
with closing(open_log(path)) as log:
    made = generate(log, SERVERS, seed=1)
print(f"{made.servers:,} servers, {made.commands:,} commands, {made.events:,} events")

# %% [markdown]
# ## A view is a table made from the log
#
# To find all servers in ERROR nobody wants to fold a million facts. So the log is followed into a table, with a row for each server
# that is there. Such a table is a **view**. It says up to which position of the log it is true.

# %%
servers = Servers.open(path)
servers.view.catch_up()
servers.view.status()

# %% [markdown]
# A view is a cache. To prove it, throw its file away and make it again, from the first fact to the last. That is called a
# **replay**. Each row comes back as it was.

# %%
before = {server.id: server for server in servers.view}
servers.close()
view = path.with_name("cloud.view.db")
view.unlink()

servers = Servers.open(path)
servers.view.catch_up()
after = {server.id: server for server in servers.view}
print(f"{len(after):,} rows, all as before:", after == before)

# %% [markdown]
# ## The fleet as of any quarter
#
# The same fold stops wherever it is told to. Here it is asked for the fleet as it was known at the beginning of each quarter.

# %%
quarters = [
    datetime(year, month, 1, tzinfo=UTC) for year in range(2022, 2026) for month in (1, 4, 7, 10)
][3:14]
heads, there, images = [], [], []
for quarter in quarters:
    with servers.fleet(as_of=AsOf(recorded_at=quarter)) as fleet:
        heads.append(fleet.position)
        status = fleet.query("SELECT status, COUNT(*) AS n FROM server GROUP BY status")
        there.append({row["status"]: row["n"] for row in status})
        running = fleet.query("SELECT image_id, COUNT(*) AS n FROM server GROUP BY image_id")
        images.append({row["image_id"]: row["n"] for row in running})
steps(
    "The log only grows",
    quarters,
    {"all events": heads},
    of="events, counted each quarter",
    stacked=False,
)

# %% [markdown]
# Servers come and go: the fleet stays about as large as it was while the log grows. An area below is the servers in one state.

# %%
states = {
    "ACTIVE": [one["ACTIVE"] for one in there],
    "SHUTOFF": [one["SHUTOFF"] for one in there],
    "all others": [sum(one.values()) - one["ACTIVE"] - one["SHUTOFF"] for one in there],
}
steps("Servers that are there, by state", quarters, states, of="servers")

# %% [markdown]
# ## How old is what we run?
#
# An operator's question that a table of today cannot answer: do our servers move on to new images, or do old images linger? For each
# quarter, servers are counted by how long ago the fleet was first seen to run their image.

# %%
seen = {}
ages = {"seen this quarter or the last": [], "up to a year": [], "older": []}
for number, running in enumerate(images):
    for image in running:
        seen.setdefault(image, number)
    counts = [0, 0, 0]
    for image, count in running.items():
        age = number - seen[image]
        counts[0 if age < 2 else 1 if age < 4 else 2] += count
    for name, count in zip(ages, counts, strict=True):
        ages[name].append(count)
steps("Servers by the age of their image", quarters, ages, of="servers")

# %% [markdown]
# Mind the left edge: the fleet begins in July 2022, so nothing can be old in its first year. A chart of a log always has a beginning,
# and what lies before it is not zero but unknown.
#
# ## What to remember
#
# The log is the truth and grows; views are made from it, and can be made again at any time, also views that nobody thought of when
# the facts were written.

# %%
assert made.events > 1_000_000 and heads == sorted(heads)
assert after == before and len(after) == len(servers)
assert heads[-1] <= made.events == servers.view.status().head
assert all(
    sum(parts) == sum(one.values())
    for parts, one in zip(zip(*states.values(), strict=True), there, strict=True)
)
assert [sum(running.values()) for running in images] == [sum(one.values()) for one in there]

# %% [markdown]
# ## Exercises
#
# **1.** How long does the replay take on your machine? Put `%%time` above the cell and divide.
#
# <details><summary>Answer</summary>
#
# That depends on the machine; `docs/benchmarks.md` says what was measured on one. A replay writes no event:
#
# ```python
# servers.view.replay()
# assert servers.view.status().head == made.events
# ```
#
# </details>
#
# **2.** How many bytes does an event take on the disk, its command and all indexes included?
#
# <details><summary>Answer</summary>
#
# Less than a kilobyte.
#
# ```python
# assert 100 < path.stat().st_size / made.events < 1000
# ```
#
# </details>
#
# **3.** Make a view that nobody thought of: how many servers has each project today?
#
# <details><summary>Answer</summary>
#
# ```python
# with servers.fleet() as fleet:
#     projects = fleet.query("SELECT project_id, COUNT(*) AS n FROM server GROUP BY project_id")
# assert sum(row["n"] for row in projects) == len(servers)
# ```
#
# </details>
