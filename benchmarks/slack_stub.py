"""A Slack that answers at once, in a process of its own: `chat.postMessage` and `conversations.open` over bare sockets.

It costs next to nothing, so that the figure is the sender's. Run as `python -m benchmarks.slack_stub PORT`; `GET /count` says how
many messages it took.
"""

import asyncio
import json
import sys


class _Connection(asyncio.Protocol):
    taken = 0

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.received) < end + 4 + length:
                return
            body = self.received[end + 4 : end + 4 + length]
            self.received = self.received[end + 4 + length :]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path.endswith(b"chat.postmessage"):
            _Connection.taken += 1
            answer = b'{"ok":true,"channel":"D1","ts":"1700000000.%06d"}' % (_Connection.taken % 1_000_000)
        elif path.endswith(b"conversations.open"):
            answer = json.dumps({"ok": True, "channel": {"id": f"D{abs(hash(body)) % 10**9}"}}).encode()
        elif path == b"/count":
            answer = json.dumps({"taken": _Connection.taken}).encode()
        else:
            answer = b'{"ok":true}'
        assert self.transport is not None
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
        )


async def serve(port: int) -> None:
    """Answer until killed."""
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
