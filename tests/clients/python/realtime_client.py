"""Holds a running instance against supabase-py: what its users do with channels, step by step.

usage: realtime_client.py URL ANON_KEY

Each step prints a line. The instance serves the project in tests/fixtures/projects/other-clients.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import asynccontextmanager
from urllib.parse import urlparse
from uuid import uuid4

from realtime import RealtimeSubscribeStates
from supabase import AsyncClient, acreate_client

URL, ANON_KEY = sys.argv[1:3]
PATIENCE = 15.0


async def until(what: str, holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen: {what}")
        await asyncio.sleep(0.02)


@asynccontextmanager
async def signed_in(url: str = URL):
    """A client of a user of its own."""
    client: AsyncClient = await acreate_client(url, ANON_KEY)
    await client.auth.sign_up({"email": f"{uuid4()}@example.com", "password": "correct horse"})
    try:
        yield client
    finally:
        await client.auth.sign_out()
        await client.realtime.close()


class Joined:
    """A channel and what its client was told about it."""

    def __init__(self, client: AsyncClient, topic: str, **config: object) -> None:
        broadcast = config.pop("broadcast", {"ack": False, "self": False})
        presence = config.pop("presence", {"key": "", "enabled": False})
        self.channel = client.channel(
            topic, {"config": {"broadcast": broadcast, "presence": presence, "private": False, **config}}
        )
        self.states: list[RealtimeSubscribeStates] = []
        self.error: Exception | None = None
        self.system: list[str] = []
        self.heard: list[dict] = []
        self.changes: list[tuple] = []
        self.channel.on_system(lambda payload: self.system.append(payload.message))
        self.channel.on_broadcast("*", self.heard.append)

    def on_changes(self, event: str = "*", **place: object) -> "Joined":
        def note(payload: dict) -> None:
            data = payload["data"]
            self.changes.append((data["type"].value, data.get("record"), data.get("old_record")))

        self.channel.on_postgres_changes(event, note, schema="public", table="posts", **place)
        return self

    async def subscribe(self, expected: RealtimeSubscribeStates = RealtimeSubscribeStates.SUBSCRIBED) -> "Joined":
        def note(state: RealtimeSubscribeStates, error: Exception | None) -> None:
            self.states.append(state)
            self.error = error

        await self.channel.subscribe(note)
        assert self.states[-1:] == [expected], (self.states, self.error)
        return self

    async def live(self) -> "Joined":
        await self.subscribe()
        await until("changes are live", lambda: "Subscribed to PostgreSQL" in self.system)
        return self


async def broadcasts() -> None:
    async with signed_in() as ada, signed_in() as bob:
        speaker = await Joined(ada, "lobby", broadcast={"ack": True, "self": True}).subscribe()
        hearer = await Joined(bob, "lobby").subscribe()
        outcomes: list[str] = []
        push = await speaker.channel.push(
            "broadcast", {"type": "broadcast", "event": "cursor", "payload": {"x": 1, "text": "é"}}
        )
        push.receive("ok", lambda _: outcomes.append("ok")).receive("error", lambda _: outcomes.append("error"))
        await until("the broadcast is acknowledged", lambda: outcomes == ["ok"])
        await until("both hear it", lambda: speaker.heard and hearer.heard)
        assert hearer.heard[0]["payload"] == {"x": 1, "text": "é"} == speaker.heard[0]["payload"]
        for n in range(200):
            await hearer.channel.send_broadcast("count", {"n": n})
        await until("all are heard", lambda: len(speaker.heard) == 201)
        assert [each["payload"]["n"] for each in speaker.heard[1:]] == list(range(200))
        assert len(hearer.heard) == 1, "a channel without self hears itself"


async def http_broadcasts() -> None:
    async with signed_in() as ada, signed_in() as bob:
        hearer = await Joined(bob, "room:http", private=True).subscribe()
        sender = Joined(ada, "room:http", private=True)
        await sender.channel.http_send("a b/ç", {"n": 1})
        await sender.channel.http_send("bytes", b"\x00\x01")
        await sender.channel.http_send("last", {"n": 2})
        await until("both are heard", lambda: len(hearer.heard) == 2)
        # This client speaks protocol 1.0.0, which has no way to carry bytes.
        assert [(each["event"], each["payload"]) for each in hearer.heard] == [("a b/ç", {"n": 1}), ("last", {"n": 2})]
        try:
            await Joined(ada, "notices", private=True).channel.http_send("no", {})
            raise AssertionError("a topic that may not be written was written")
        except Exception as refusal:
            assert "Unauthorized" in str(refusal), refusal


async def presence() -> None:
    async with signed_in() as ada, signed_in() as bob:
        joins: list[tuple] = []
        leaves: list[tuple] = []
        watcher = Joined(ada, "who", presence={"key": "ada", "enabled": True})
        watcher.channel.on_presence_join(lambda key, _, new: joins.append((key, [each.get("at") for each in new])))
        watcher.channel.on_presence_leave(lambda key, _, left: leaves.append((key, [each.get("at") for each in left])))
        await watcher.subscribe()
        await watcher.channel.track({"at": "home"})
        other = await Joined(bob, "who", presence={"key": "bob", "enabled": True}).subscribe()
        await other.channel.track({"at": "work"})
        await until("both are seen", lambda: len(watcher.channel.presence_state()) == 2)
        await until("both are seen by the other", lambda: len(other.channel.presence_state()) == 2)
        await other.channel.track({"at": "lunch"})
        await until("an update is seen", lambda: ("bob", ["lunch"]) in joins and ("bob", ["work"]) in leaves)
        assert [each["at"] for each in watcher.channel.presence_state()["bob"]] == ["lunch"]
        await other.channel.untrack()
        await until("a farewell is seen", lambda: list(watcher.channel.presence_state()) == ["ada"])


async def postgres_changes() -> None:
    async with signed_in() as ada, signed_in() as bob:
        mine = await Joined(ada, "changes").on_changes().live()
        theirs = await Joined(bob, "changes").on_changes().live()
        some = await Joined(ada, "some").on_changes("INSERT", filter='title=in.(a,"b, c"),id=not.lt.0').live()
        brief = await Joined(ada, "brief").on_changes("UPDATE", select=["title"]).live()
        posts = ada.table("posts")
        await posts.insert([{"id": 1, "title": "a"}, {"id": 2, "title": "b, c"}, {"id": 3, "title": "d"}]).execute()
        await posts.update({"title": "e"}).eq("id", 3).execute()
        # New and altered rows are told while they can be seen.
        await until("the update is heard", lambda: len(mine.changes) == 4)
        await posts.delete().eq("id", 3).execute()
        await until("every change is heard", lambda: len(mine.changes) == 5)
        assert [kind for kind, _, _ in mine.changes] == ["INSERT"] * 3 + ["UPDATE", "DELETE"]
        assert mine.changes[3][1]["title"] == "e" and mine.changes[3][2] == {"id": 3}, mine.changes[3]
        assert mine.changes[4][2] == {"id": 3}, mine.changes[4]
        await until("the filter lets two through", lambda: len(some.changes) == 2)
        assert [row["id"] for _, row, _ in some.changes] == [1, 2]
        await until("the selection is told", lambda: len(brief.changes) == 1)
        assert brief.changes[0][1] == {"id": 3, "title": "e"}, brief.changes[0]
        await until("the key of the deleted row is told", lambda: len(theirs.changes) == 1)
        assert theirs.changes[0][0] == "DELETE", "another user's rows were told"
        await posts.delete().neq("id", 0).execute()


async def private_channels() -> None:
    async with signed_in() as ada, signed_in() as bob:
        hall = await Joined(ada, "hall", private=True).subscribe(RealtimeSubscribeStates.CHANNEL_ERROR)
        assert "Unauthorized" in str(hall.error), hall.error
        one = await Joined(ada, "room:1", private=True).subscribe()
        two = await Joined(bob, "room:1", private=True).subscribe()
        public = await Joined(bob, "notices").subscribe()
        await one.channel.send_broadcast("said", {"n": 1})
        await until("the other hears it", lambda: two.heard)
        notices = await Joined(ada, "notices", private=True).subscribe()
        since = int(time.time() * 1000) - 60_000
        await ada.rpc("notify", {"message": "stored"}).execute()
        await until("the stored message is heard", lambda: notices.heard)
        assert notices.heard[0]["payload"]["message"] == "stored", notices.heard
        replay = {"ack": False, "self": False, "replay": {"since": since, "limit": 5}}
        again = await Joined(bob, "notices-late", private=True, broadcast=replay).subscribe(
            RealtimeSubscribeStates.CHANNEL_ERROR
        )
        assert "Unauthorized" in str(again.error), again.error
        assert public.heard == [], "a private message reached the public topic"


async def replay() -> None:
    async with signed_in() as ada:
        since = int(time.time() * 1000) - 1_000
        message = str(uuid4())
        await ada.rpc("notify", {"message": message}).execute()
        options = {"ack": False, "self": False, "replay": {"since": since, "limit": 25}}
        late = await Joined(ada, "notices", private=True, broadcast=options).subscribe()
        await until("it is told again", lambda: any(each["payload"]["message"] == message for each in late.heard))
        told = [each for each in late.heard if each["payload"]["message"] == message]
        assert told[0]["meta"]["replayed"] is True, told


async def token_refresh() -> None:
    async with signed_in() as ada, signed_in() as bob:
        mine = await Joined(ada, "fresh").on_changes("INSERT").live()
        former = ada.realtime.access_token
        # Within one second a session's tokens are the same.
        while ada.realtime.access_token == former:
            await ada.auth.refresh_session()
            await asyncio.sleep(0.1)
        await until("the subscription is renewed", lambda: mine.system.count("Subscribed to PostgreSQL") == 2)
        await ada.table("posts").insert({"id": 10, "title": "after"}).execute()
        await until("changes go on", lambda: len(mine.changes) == 1)
        session = await bob.auth.get_session()
        await ada.realtime.set_auth(session.access_token)
        await until("another user takes over", lambda: mine.system.count("Subscribed to PostgreSQL") == 3)
        await bob.table("posts").insert({"id": 11, "title": "of the other"}).execute()
        await until("it is heard", lambda: len(mine.changes) == 2)
        assert [row["id"] for _, row, _ in mine.changes] == [10, 11]
        await bob.table("posts").delete().eq("id", 11).execute()
        ada_session = await ada.auth.get_session()
        await ada.realtime.set_auth(ada_session.access_token)
        await ada.table("posts").delete().eq("id", 10).execute()


class Line:
    """A way to the instance that can be cut."""

    def __init__(self) -> None:
        self.writers: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task] = set()

    async def open(self) -> str:
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def close(self) -> None:
        self.server.close()
        self.cut()
        await asyncio.gather(*self.tasks)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        target = urlparse(URL)
        far_reader, far_writer = await asyncio.open_connection(target.hostname, target.port)
        self.writers |= {writer, far_writer}
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self.writers -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def reconnection() -> None:
    line = Line()
    async with signed_in(await line.open()) as ada, signed_in() as bob:
        room = await Joined(ada, "room:line", private=True, presence={"key": "ada", "enabled": True}).on_changes().live()
        other = await Joined(bob, "room:line", private=True, presence={"key": "bob", "enabled": True}).subscribe()
        await room.channel.track({"n": 1})
        await until("it is seen", lambda: "ada" in other.channel.presence_state())
        line.cut()
        await until("the cut is noticed", lambda: RealtimeSubscribeStates.CHANNEL_ERROR in room.states)
        await until("who was cut is gone", lambda: "ada" not in other.channel.presence_state())
        await until("the channel is joined again", lambda: room.states[-1] == RealtimeSubscribeStates.SUBSCRIBED)
        await until("changes are live again", lambda: room.system.count("Subscribed to PostgreSQL") == 2)
        await other.channel.send_broadcast("again", {})
        await ada.table("posts").insert({"id": 20, "title": "again"}).execute()
        await until("both are heard", lambda: room.heard and room.changes)
        await ada.table("posts").delete().eq("id", 20).execute()
    await line.close()


STEPS = [
    broadcasts,
    http_broadcasts,
    presence,
    postgres_changes,
    private_channels,
    replay,
    token_refresh,
    reconnection,
]


async def main() -> int:
    failed = 0
    for step in STEPS:
        try:
            await asyncio.wait_for(step(), 90)
            print(f"ok: {step.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL: {step.__name__}", flush=True)
            traceback.print_exc()
    print(f"supabase-py: {len(STEPS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
