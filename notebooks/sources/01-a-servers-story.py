# %% [markdown]
# # 1. A server's story
#
# **What was this server before somebody rebuilt it?**
#
# A cloud usually keeps a server as it *is*. A rebuild writes the new image, name and metadata over the old ones, and nobody can
# say afterwards what they were. Here a server is the list of what *happened* to it. Such a thing that happened is an **event**, or
# a fact. The list only grows: it is called the **log**. What the server is now is worked out from the list, and so is what it was.

# %%
from functools import reduce

from serverdomain import Actor, AsOf, Context, CreateServer, Refused, Servers
from serverdomain.adapters.charts import story
from serverdomain.adapters.compute_json import read_rebuild
from serverdomain.domain import moment
from serverdomain.domain.server import evolve
from serverdomain.testing import ManualClock

clock = ManualClock()  # It stands still until it is moved, so that you see the times printed here.
servers = Servers.open("memory:", clock=clock)
owner, hypervisor = Actor("fake", "openstack"), Actor("hypervisor", "openstack")

# %% [markdown]
# A server is created, and a second later it is up. The names behind `Context` say who asked, and under which request id.

# %%
WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
OLD = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
asked = CreateServer(
    server_id=WEB, name="web", image_id=OLD, flavor_id="1", metadata={"for": "tests"}
)
servers.create(asked, Context(owner, "req-create"))
clock.advance(1)
servers.report_built(WEB, Context(hypervisor, "req-built"))
servers.get(WEB)

# %% [markdown]
# Ten seconds later somebody sends *Rebuild server*, as OpenStack's Compute API documents it. It is read into a **command**: what
# somebody asks for. The rules decide, and what comes of it is facts. One command gives several here, all of them or none. A fact
# holds the new value only, and what does not change is no fact. The password is in none of them.

# %%
body = b"""{"rebuild": {
    "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b",
    "name": "foobar",
    "adminPass": "seekr3t",
    "metadata": {"meta var": "meta val"}
}}"""
clock.advance(10)
accepted = servers.rebuild(WEB, read_rebuild(body), Context(owner, "req-rebuild"))
for event in accepted.events:
    print(event)

# %% [markdown]
# The hypervisor, the machine that runs the server, reports how far it is, and that it is done.

# %%
for percent in (50, 90):
    clock.advance(12)
    servers.report_progress(WEB, percent, Context(hypervisor, f"req-progress-{percent}"))
clock.advance(8)
servers.complete_rebuild(WEB, Context(hypervisor, "req-complete"))
history = servers.history(WEB)
history

# %% [markdown]
# That is the whole story, and it answers the question: the server was `web`, with another image, until `fake` asked for the
# rebuild. The same as a picture: above the facts, each in the row of its kind, below what held meanwhile.

# %%
story("The story of one server", history, "/status", "/name", "/image/id")

# %% [markdown]
# ## From facts to a server
#
# One small function, `evolve`, knows what a fact does to a server: it takes the server so far and a fact, and gives the next
# server. Going through the list with it is called a **fold**. It is the only way to know a server: what `get` gives, all views
# and all answers about the past come from it.

# %%
server = None
for entry in history:
    server = evolve(server, entry.event, moment.to_micros(entry.occurred_at))
    print(f"{entry.name:18} {server.status:8} {server.name:7} {server.progress:3} %")

# %% [markdown]
# To see the server as it was, stop earlier. `AsOf(version=2)` means: after its first two facts.

# %%
was = servers.get(WEB, as_of=AsOf(version=2))
was

# %% [markdown]
# ## No is a fact, too
#
# A guest who may only read the project's servers tries to rename one. The rule says no and the server stays as it is, but that
# somebody tried is kept.

# %%
guest = Actor("guest", "openstack", ("reader",))
try:
    servers.rename(WEB, "mine", Context(guest, "req-rename"))
except Refused as no:
    print(f"refused by the rule of {no.rule}: {no}")

# %% [markdown]
# ## What to remember
#
# A command is what somebody asks for; facts are what happened. The log only grows, and a fold makes a server of it.

# %%
now = servers.get(WEB)
assert (was.name, was.image_id, was.metadata) == ("web", OLD, {"for": "tests"})
assert (now.name, now.status, now.progress) == ("foobar", "ACTIVE", 100)
assert servers.history(WEB)[-1].name == "CommandRefused", "the last that happened is a refusal"
assert "seekr3t" not in str(servers.history(WEB)) + str(accepted.events)
facts = [(one.event, moment.to_micros(one.occurred_at)) for one in servers.history(WEB)]
assert reduce(lambda so_far, fact: evolve(so_far, *fact), facts, None).to_dict() == now.to_dict()

# %% [markdown]
# ## Exercises
#
# **1.** A client gets no answer and sends the same rebuild again, under the same request id. What happens?
#
# <details><summary>Answer</summary>
#
# Nothing is written, and it gets the first answer again, but not the password.
#
# ```python
# again = servers.rebuild(WEB, read_rebuild(body), Context(owner, "req-rebuild"))
# assert again.replayed and again.events == accepted.events and again.admin_pass is None
# ```
#
# </details>
#
# **2.** Rename the server to the name that it has. How long is its history afterwards?
#
# <details><summary>Answer</summary>
#
# As long as before: what changes nothing is no fact.
#
# ```python
# length = len(servers.history(WEB))
# assert servers.rename(WEB, "foobar", Context(owner)).events == ()
# assert len(servers.history(WEB)) == length
# ```
#
# </details>
#
# **3.** Which image did the server have after its first fact, its second, its third, and so on?
#
# <details><summary>Answer</summary>
#
# ```python
# images = [servers.get(WEB, as_of=AsOf(version=n)).image_id for n in range(1, now.version + 1)]
# assert images == [OLD] * 3 + ["70a599e0-31e7-49b7-b260-868f441e862b"] * (now.version - 3)
# ```
#
# </details>
