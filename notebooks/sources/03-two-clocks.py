# %% [markdown]
# # 3. Two clocks
#
# **What did we know at noon, and what was true at noon?**
#
# These are two questions. Somebody stops a server at one o'clock and writes it down at four. At half past one the server *was* off
# and nobody *knew*. So each fact has two times: `occurred_at`, when it happened, and `recorded_at`, when the log took it in.

# %%
from datetime import UTC, datetime, timedelta

from serverdomain import Actor, AsOf, Context, CreateServer, NotFound, RebuildServer, Servers
from serverdomain.adapters.charts import plane
from serverdomain.domain.events import ServerStarted, ServerStopped
from serverdomain.testing import ManualClock

OLD, NEW = "f90f6034-2570-4974-8351-6b49732ef2eb", "70a599e0-31e7-49b7-b260-868f441e862b"
WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"


def at(hour, minute=0):
    return datetime(2025, 3, 1, hour, minute, tzinfo=UTC)


clock = ManualClock(at(12))
servers = Servers.open("memory:", clock=clock)

# %% [markdown]
# The server is created at noon, and rebuilt from two to three.

# %%
owner, hypervisor = Actor("fake", "openstack"), Actor("hypervisor", "openstack")
creation = CreateServer(server_id=WEB, name="web", image_id=OLD, flavor_id="1")
servers.create(creation, Context(owner, "req-create"))
servers.report_built(WEB, Context(hypervisor, "req-built"))
clock.now = at(14)
servers.rebuild(WEB, RebuildServer(image_id=NEW, name="web-2"), Context(owner, "req-rebuild"))
clock.now = at(15)
servers.complete_rebuild(WEB, Context(hypervisor, "req-complete"))
servers.get(WEB).status

# %% [markdown]
# At four somebody finds a note in the machine room: the power was off from one to half past one. At five there is another note:
# the power went off again at half past two, in the middle of the rebuild, and stayed off. Such late facts come in by `record`.
# They are written at the *end* of the log, and take their place in the *history*, which is in order of occurrence.

# %%
clock.now = at(16)
room = Actor("machine-room", "operations")
servers.record(WEB, [ServerStopped()], Context(room, "req-note-1"), occurred_at=at(13))
servers.record(WEB, [ServerStarted()], Context(room, "req-note-2"), occurred_at=at(13, 30))
clock.now = at(17)
servers.record(WEB, [ServerStopped()], Context(room, "req-note-3"), occurred_at=at(14, 30))
for one in servers.history(WEB):
    happened, heard = f"{one.occurred_at:%H:%M}", f"{one.recorded_at:%H:%M}"
    print(f"happened {happened}  heard {heard}  position {one.position}  {one.name}")

# %% [markdown]
# ## Three questions
#
# `recorded_at` asks what we knew then. `occurred_at` asks what was true then, as far as we know today. Both together ask what we
# knew at one time about another.


# %%
def status(**moment):
    try:
        return servers.get(WEB, as_of=AsOf(**moment)).status
    except NotFound:
        return "not there"


print("known at 15:30:             ", status(recorded_at=at(15, 30)))
print("true at 15:30:              ", status(occurred_at=at(15, 30)))
print("known at 13:15 about 13:15: ", status(recorded_at=at(13, 15), occurred_at=at(13, 15)))
print("known at 16:30 about 13:15: ", status(recorded_at=at(16, 30), occurred_at=at(13, 15)))
print("known at 16:30 about 15:30: ", status(recorded_at=at(16, 30), occurred_at=at(15, 30)))

# %% [markdown]
# Two clocks make a plane. To the right goes the moment that is asked about, upwards what had been heard when it was asked. Every
# square is one question. Go straight up from 13:15: until four everybody would have told you ACTIVE. The upper edge is what is
# true as known now. The dashed line is where both clocks agree, where people look at the present.

# %%
edges = [at(11, 30) + timedelta(minutes=10 * n) for n in range(37)]
plane(
    "One server on two clocks",
    edges,
    lambda heard, about: status(recorded_at=heard, occurred_at=about),
)

# %% [markdown]
# ## What made the difference?
#
# What was known at 15:30 beside what is known now: `diff` names what changed, and the facts that are responsible. Position 6, the
# end of the rebuild, is among them. It was known all along; but a rebuild returns a server to what it was before, and that was not
# ACTIVE, as we learned at five.

# %%
diff = servers.diff(WEB, AsOf(recorded_at=at(15, 30)), "now")
diff

# %% [markdown]
# ## What to remember
#
# A late fact changes what was true, never what was known. Both stay answerable.

# %%
assert status(recorded_at=at(15, 30)) == "ACTIVE" and status(occurred_at=at(15, 30)) == "SHUTOFF"
assert [one.position for one in servers.history(WEB)] == [1, 2, 7, 8, 3, 4, 5, 9, 6]
assert {9, 6} <= set(diff.changes[0].events) and status(occurred_at=at(11)) == "not there"

# %% [markdown]
# ## Exercises
#
# **1.** Somebody looks at the server at 13:15 and writes a report. Which `AsOf` gives what was seen, today and in ten years?
#
# <details><summary>Answer</summary>
#
# ```python
# assert status(recorded_at=at(13, 15)) == "ACTIVE"
# ```
#
# </details>
#
# **2.** A fourth note says that the power came back at 16:30. What is true at 16:45 afterwards, and what was known then?
#
# <details><summary>Answer</summary>
#
# ```python
# servers.record(WEB, [ServerStarted()], Context(room, "req-note-4"), occurred_at=at(16, 30))
# assert status(occurred_at=at(16, 45)) == "ACTIVE"
# assert status(recorded_at=at(16, 45)) == "ACTIVE", "for another reason: nobody knew of 14:30 yet"
# ```
#
# </details>
#
# **3.** Why is there no fleet by `occurred_at`, only by `recorded_at`? Think of keeping a count for last Monday.
#
# <details><summary>Answer</summary>
#
# What we knew last Monday never changes again, so it can be kept. What was true last Monday can change with every late fact.
#
# ```python
# before = status(occurred_at=at(12, 30)), status(recorded_at=at(12, 30))
# servers.record(WEB, [ServerStopped()], Context(room, "req-note-5"), occurred_at=at(12, 15))
# assert (status(occurred_at=at(12, 30)), status(recorded_at=at(12, 30))) == ("SHUTOFF", before[1])
# ```
#
# </details>
