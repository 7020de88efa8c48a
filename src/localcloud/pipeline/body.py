"""The body of a request, up to a limit."""

from starlette.requests import Request


async def read(request: Request, limit: int) -> bytes | int:
    """Return a request's body, or how long it is if that is more than ``limit`` bytes.

    What is too long is still taken from the client, which would otherwise see a broken connection.
    """
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            body += chunk
    return size if size > limit else bytes(body)
