"""The socket that the endpoint listens on."""

import asyncio
import socket

from serverdomain.adapters.http.serving.server import listen


def test_an_answer_in_two_parts_does_not_wait_for_the_first_to_be_acknowledged() -> None:
    async def delays() -> int:
        accepted: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()

        async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.get_extra_info("socket"))
            await reader.read()
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(called, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            no_delay = (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
        return no_delay

    assert asyncio.run(delays())
