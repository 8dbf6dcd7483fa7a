# %% [markdown]
# # 2. The time machine
#
# **What was this server at any moment of its life?**
#
# A log keeps every fact, so each earlier server can be made again from a beginning of the list. Nothing has to be saved for that,
# and no moment is better known than another. Each fact of a server has a number, its **version**, counted from 1. "As of version
# 4" means: fold the first four facts, and stop.

# %%
from ipywidgets import interact

from serverdomain import Actor, AsOf, Context, CreateServer, NotFound, RebuildServer, Servers
from serverdomain.adapters.charts import bands, story
from serverdomain.testing import ManualClock

OLD, NEW = "f90f6034-2570-4974-8351-6b49732ef2eb", "70a599e0-31e7-49b7-b260-868f441e862b"
WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
owner, hypervisor = Actor("fake", "openstack"), Actor("hypervisor", "openstack")
clock = ManualClock()
servers = Servers.open("memory:", clock=clock)

# %% [markdown]
# Here is a life to travel in: somebody creates a server, rebuilds it, sees the rebuild fail, tries again, and stops it.

# %%
servers.create(
    CreateServer(server_id=WEB, name="web", image_id=OLD, flavor_id="1"), Context(owner, "req-1")
)
clock.advance(4)
servers.report_built(WEB, Context(hypervisor, "req-2"))
clock.advance(20)
servers.rebuild(WEB, RebuildServer(image_id=NEW, name="web-2"), Context(owner, "req-3"))
clock.advance(9)
servers.fail_rebuild(WEB, "the disk is full", context=Context(hypervisor, "req-4"))
clock.advance(30)
servers.rebuild(WEB, RebuildServer(image_id=NEW), Context(owner, "req-5"))
clock.advance(15)
servers.complete_rebuild(WEB, Context(hypervisor, "req-6"))
clock.advance(20)
servers.stop(WEB, Context(owner, "req-7"))
servers.history(WEB)

# %% [markdown]
# ## Travel by version
#
# Where this notebook runs, the next cell is a slider: move it, and the server is made again from so many facts. Where you only read
# it, the picture below shows all the moments of the slider side by side.

# %%
last = servers.get(WEB).version


@interact(version=(1, last))
def as_of_version(version=1):
    return servers.get(WEB, as_of=AsOf(version=version))


# %%
each = [servers.get(WEB, as_of=AsOf(version=n)) for n in range(1, last + 1)]


def row(member):
    return [(n - 0.5, n + 0.5, member(server)) for n, server in enumerate(each, 1)]


members = {
    "status": row(lambda server: server.status),
    "name": row(lambda server: server.name),
    "image": row(lambda server: "old" if server.image_id == OLD else "new"),
}
bands("The server as of each version", members, along="version")

# %% [markdown]
# A column is a whole server. Version 3 is a moment in the middle of a command: the rebuild was asked for and the image not changed
# yet. Nobody could ever see that moment, because the three facts of that command were written together; but a teacher can.
#
# ## Travel by time
#
# People rather ask for a time. The same life, where it lies in time:

# %%
story("The same life in time", servers.history(WEB), "/status", "/name")

# %%
start = servers.history(WEB)[0].occurred_at
for seconds in (2, 10, 30, 40, 70, 80):
    then = start.replace(
        minute=start.minute + (start.second + seconds) // 60, second=(start.second + seconds) % 60
    )
    server = servers.get(WEB, as_of=AsOf(occurred_at=then))
    print(f"after {seconds:2} s: {server.name:6} {server.status}")

# %% [markdown]
# Before its beginning the server is not there. That is an error and no empty server.

# %%
try:
    servers.get(WEB, as_of="occurred:2012-09-12T17:00:00Z")
except NotFound as no:
    print(no)

# %% [markdown]
# ## What to remember
#
# As of a version, a position of the whole log, or a time: each means which facts count, and the fold does the rest.

# %%
assert [server.status for server in each][:2] == ["BUILD", "ACTIVE"]
assert each[-1] == servers.get(WEB), "the last moment is now"
assert servers.get(WEB, as_of=AsOf(version=6)).fault.message == "the disk is full"
assert all(server.image_id == OLD for server in each[:3])
assert len(servers.history(WEB)) == last, "asking wrote nothing"

# %% [markdown]
# ## Exercises
#
# **1.** At which version did the server get the new image? Ask it by a loop over the versions.
#
# <details><summary>Answer</summary>
#
# ```python
# first = next(n for n in range(1, last + 1) if servers.get(WEB, as_of=AsOf(version=n)).image_id == NEW)
# assert first == 4
# ```
#
# </details>
#
# **2.** What happens if you ask for a version that there is not yet?
#
# <details><summary>Answer</summary>
#
# It is refused, and the message names the last one. A later fact would make another answer, so there is none yet.
#
# ```python
# from serverdomain import Refused
#
# try:
#     servers.get(WEB, as_of=AsOf(version=99))
# except Refused as no:
#     assert "99" in str(no) and str(last) in str(no)
# else:
#     raise AssertionError("it was answered")
# ```
#
# </details>
#
# **3.** The failed rebuild left the new image on the server. Was that so in the moment before it failed, too?
#
# <details><summary>Answer</summary>
#
# Yes. The image changes when the rebuild is accepted, as in Nova, and a hypervisor that fails does not bring it back.
#
# ```python
# assert [each[n - 1].image_id for n in (5, 6)] == [NEW, NEW]
# assert [each[n - 1].status for n in (5, 6)] == ["REBUILD", "ERROR"]
# ```
#
# </details>
