"""How long a client may take to send a body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmstart.serve.problems import Problem

LEAST_RATE = 1_024  # bytes a second below which a body is no body


class Patience:
    """End requests whose body does not come.

    A body has ``seconds`` and one more for each 1,024 bytes that came, so that a byte now and then keeps nothing open.

    Parameters
    ----------
    seconds
        For a body to come.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        whole, until = False, asyncio.get_running_loop().time() + self.seconds

        async def receiving() -> Message:
            nonlocal whole, until
            if whole:  # now it waits for a disconnect, and may wait as long as the answer takes
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise self._refusal() from None
            whole = not message.get("more_body", False)
            until += len(message.get("body", b"")) / LEAST_RATE
            return message

        return await self.app(scope, receiving, send)

    def _refusal(self) -> Problem:
        detail = f"it was not whole after {self.seconds:g} s"
        headers = {"Connection": "close"}
        return Problem(408, "The body did not come", detail, remedy="send it again", headers=headers)
