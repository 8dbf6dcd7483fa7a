# %% [markdown]
# # 5. What if that rebuild had failed?
#
# **Would the server be another one today?**
#
# The log keeps not only what happened but what was *asked*, also in vain. The rules that decided then are pure functions: the same
# server and the same request give the same answer. So a past can be decided again, with one thing otherwise. Nothing is written.

# %%
from serverdomain import Actor, Context, CreateServer, RebuildServer, Refused, Servers
from serverdomain.adapters.charts import bands
from serverdomain.domain.commands import FailRebuild
from serverdomain.testing import ManualClock

OLD, NEW = "f90f6034-2570-4974-8351-6b49732ef2eb", "70a599e0-31e7-49b7-b260-868f441e862b"
WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
owner, hypervisor = Actor("fake", "openstack"), Actor("hypervisor", "openstack")
clock = ManualClock()
servers = Servers.open("memory:", clock=clock)

# %% [markdown]
# The past: a rebuild that went well, then an administrator's lock, and a stop that the owner asked for and that the lock refused.

# %%
creation = CreateServer(server_id=WEB, name="web", image_id=OLD, flavor_id="1")
servers.create(creation, Context(owner, "req-create"))
clock.advance(5)
servers.report_built(WEB, Context(hypervisor, "req-built"))
clock.advance(10)
servers.rebuild(WEB, RebuildServer(image_id=NEW), Context(owner, "req-rebuild"))
clock.advance(15)
servers.complete_rebuild(WEB, Context(hypervisor, "req-complete", caused_by="req-rebuild"))
clock.advance(10)
servers.lock(WEB, Context(Actor("admin", "admin", ("admin",)), "req-lock"))
clock.advance(10)
try:
    servers.stop(WEB, Context(owner, "req-stop"))
except Refused as no:
    print(f"refused by the rule of {no.rule}")
servers.history(WEB)

# %% [markdown]
# ## Put another fact in its place
#
# `what_if` decides the whole history again. Here the hypervisor's report that the rebuild is done is replaced: it failed. Every
# later request is asked again, of the server that there would have been.

# %%
failed = FailRebuild(reason="the disk is full")
found = servers.what_if(WEB, replace={"req-complete": failed})
for change in found.changes:
    print(f"{change.path}: {change.before} -> {change.after}")

# %% [markdown]
# So yes: it would be in ERROR, and have a fault to show. The lock and the refused stop would be as they were, so they are not in the
# list of what differs:


# %%
def tell(found):
    for one in found.requests:
        would_be = one.would_be.outcome if one.would_be else "not asked"
        print(f"{one.request_id:13} was {one.was.outcome:8} would be {would_be}")


tell(found)

# %% [markdown]
# ## Leave something out
#
# Suppose that nobody had locked the server. The refused stop is in the log with all that was asked, so it can be decided again:

# %%
unlocked = servers.what_if(WEB, drop=["req-lock"])
tell(unlocked)
print(unlocked.was.status, "->", unlocked.would_be.status)

# %% [markdown]
# The three courses beside each other. To know a course moment by moment, `what_if` is asked again and again, each time with one more
# of the requests left in. A line between two fields is a request.


# %%
order = ["req-create", "req-built", "req-rebuild", "req-complete", "req-lock", "req-stop"]
begins = [0, 5, 15, 30, 40, 50, 60]


def course(drop=(), replace=None):
    held = []
    for number in range(len(order)):
        later = order[number + 1 :]
        supposed = {} if "req-complete" in later else replace or {}
        found = servers.what_if(WEB, drop={*drop, *later}, replace=supposed)
        held.append((begins[number], begins[number + 1], found.would_be.status))
    return held


rows = {
    "it was": course(),
    "had it failed": course(replace={"req-complete": failed}),
    "without the lock": course(drop=["req-lock"]),
}
bands("One server, three pasts", rows, along="seconds after its creation")

# %% [markdown]
# ## What to remember
#
# Because decisions are pure and requests are kept, "what if" is a question that can be answered, not a guess. What it cannot know:
# what people would have asked for otherwise.

# %%
assert (found.was.status, found.would_be.status) == ("ACTIVE", "ERROR")
assert [one.request_id for one in found.requests] == ["req-complete"]
assert [one.would_be and one.would_be.outcome for one in unlocked.requests] == [None, "done"]
assert rows["it was"][-1][2] == servers.get(WEB).status == "ACTIVE"
assert len(servers.history(WEB)) == 7, "nothing was written"

# %% [markdown]
# ## Exercises
#
# **1.** Suppose that the rebuild had never been asked for. What becomes of the report that it is done?
#
# <details><summary>Answer</summary>
#
# It is in conflict: there is no such rebuild. The old image stays.
#
# ```python
# without = servers.what_if(WEB, drop=["req-rebuild"])
# outcomes = {one.request_id: one.would_be and one.would_be.outcome for one in without.requests}
# assert outcomes == {"req-rebuild": None, "req-complete": "conflict"}
# assert without.would_be.image_id == OLD
# ```
#
# </details>
#
# **2.** Suppose the owner had asked for another name with the rebuild. What would differ today?
#
# <details><summary>Answer</summary>
#
# The name, and nothing else.
#
# ```python
# named = servers.what_if(WEB, replace={"req-rebuild": RebuildServer(image_id=NEW, name="web-2")})
# assert [change.path for change in named.changes] == ["/name"]
# ```
#
# </details>
#
# **3.** Suppose that the rebuild had failed *and* nobody had locked the server. Would today's status show that the rebuild failed?
#
# <details><summary>Answer</summary>
#
# No. A server in ERROR may be stopped, as in Nova, and is SHUTOFF afterwards. Only the history tells of the failure.
#
# ```python
# both = servers.what_if(WEB, drop=["req-lock"], replace={"req-complete": failed})
# assert both.would_be.status == "SHUTOFF"
# ```
#
# </details>
