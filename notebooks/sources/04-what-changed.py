# %% [markdown]
# # 4. What changed, and who did it
#
# **A server lost its mark for backups. Who took it away, when, and was it only this server?**
#
# In most clouds nobody can answer that: the new metadata stands where the old stood. A log answers it in three steps: compare two
# moments, ask the fact that made the difference, and look for others like it.

# %%
from datetime import UTC, datetime

from serverdomain import AsOf, Servers
from serverdomain.adapters.charts import bands
from serverdomain.audit.reports import lost_metadata
from serverdomain.domain.server import evolve
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log

log = open_log("memory:")
made = generate(log, servers=40, seed=1)  # The same seed gives the same three years everywhere.
servers = Servers(log)
print(f"{made.servers} servers, {made.commands} commands, {made.events} events")

# %% [markdown]
# The fleet is made up. Its servers are created, rebuilt to newer images, locked, moved and deleted, by users and by programs. The server `build-9960` is the one that lost its mark.

# %%
WEB = servers.find("build-9960")
before, after = (AsOf(occurred_at=datetime(2024, 11, day, tzinfo=UTC)) for day in (11, 12))
servers.get(WEB, as_of=before).metadata, servers.get(WEB, as_of=after).metadata

# %% [markdown]
# ## Compare two moments
#
# `diff` gives each value that differs and, in the last column, the positions of the facts that are responsible. The second table
# is those facts: who, when, under which request.

# %%
diff = servers.diff(WEB, before, after)
diff

# %% [markdown]
# One request did it all: a rebuild. Its caller sent a whole map of metadata with it, without `backup` and without `role`. The
# Compute API replaces the map then; the caller probably meant to add to it. No rule was broken, and no software failed.
#
# ## Everything that one request caused
#
# A request is named by its id, also by the facts that followed from it elsewhere: the progress and the end of the rebuild say that
# this request caused them.

# %%
request = diff.events[0].request_id
for one in servers.timeline.search(request=request):
    print(
        f"{one.occurred_at:%H:%M:%S}  {one.name:17}  {one.user_id:12}  {'caused by it' if one.caused_by else ''}"
    )

# %% [markdown]
# ## Was it only this server?
#
# A report asks the same of the whole fleet: which rebuilds took metadata away, and which keys?

# %%
lost = lost_metadata(servers.timeline, limit=20)
culprits = [loss for loss in lost.latest if "backup" in loss.keys]
for loss in culprits:
    print(
        f"{loss.occurred_at[:10]}  {loss.server_id[:8]}  {loss.user_id:11}  {', '.join(loss.keys)}"
    )

# %% [markdown]
# Six servers, in three years, by several users. So it is no person's fault but a trap in the API, and it deserves a warning. How
# long was each of them without its mark? A row is a server, and time runs to the right.


# %%
def year(when):
    return when.year + when.timetuple().tm_yday / 366


def held(server_id):
    """The server's mark from when to when, fact by fact."""
    turns, server = [], None
    for entry in servers.history(server_id):
        server = evolve(server, entry.event, 0)
        mark = "not there" if server.deleted else server.metadata.get("backup", "absent")
        if not turns or turns[-1][1] != mark:
            turns.append((year(entry.occurred_at), mark))
    ends = [begin for begin, _ in turns[1:]] + [2025.5]
    return [(begin, end, mark) for (begin, mark), end in zip(turns, ends, strict=True)]


rows = {servers.history(loss.server_id)[0].event.name: held(loss.server_id) for loss in culprits}
bands("Servers that lost their mark for backups", rows, along="year")

# %% [markdown]
# ## What to remember
#
# A history names the fact, the fact names the request, the request names who asked. From one server the same question goes to all.

# %%
assert diff.events[0].name == "ImageChanged" and diff.events[0].user_id == "user-000-4"
assert {change.path for change in diff.changes} >= {
    "/image/id",
    "/metadata/backup",
    "/metadata/role",
}
assert {entry.caused_by or entry.request_id for entry in diff.events} == {request}
assert len(culprits) == 6 and len(rows) == 6

# %% [markdown]
# ## Exercises
#
# **1.** Which other keys were lost in rebuilds, and how often?
#
# <details><summary>Answer</summary>
#
# ```python
# found = {key.key: key.rebuilds for key in lost.keys}
# assert found["backup"] == 6 and found["role"] == 5
# ```
#
# </details>
#
# **2.** When did `build-9960` get its mark back, and from whom?
#
# <details><summary>Answer</summary>
#
# The next fact with that path says so.
#
# ```python
# back = [
#     entry
#     for entry in servers.history(WEB)
#     for change in entry.changes
#     if change.path == "/metadata/backup" and entry.position > diff.events[-1].position
# ]
# assert f"{back[0].occurred_at:%Y-%m-%d}" == "2024-12-30" and back[0].name == "MetadataReplaced"
# ```
#
# </details>
#
# **3.** How many servers of the fleet changed in the week before that day, in whatever way?
#
# <details><summary>Answer</summary>
#
# ```python
# days = [AsOf(recorded_at=datetime(2024, 11, day, tzinfo=UTC)) for day in (4, 11)]
# changed = servers.diff_fleet(*days)
# assert len(changed) == len({one.before.server_id for one in changed}) > 0
# ```
#
# </details>
