"""Undoing what ``x-log-compresstype`` says was done to a body, never to more than its declared size."""

import zlib
from collections.abc import Callable

import lz4.block

try:
    from zstandard import ZstdDecompressor, ZstdError, frame_content_size
except ImportError:  # an optional part of the local cloud: without it zstd is refused like an unknown type
    HAS_ZSTD = False
else:
    HAS_ZSTD = True


class Undecodable(ValueError):
    """The body is not what its header says, or not of the declared size."""


def _lz4_block(data: bytes, size: int) -> bytes:
    try:
        return bytes(lz4.block.decompress(data, uncompressed_size=size))
    except (lz4.block.LZ4BlockError, ValueError, OverflowError) as error:
        raise Undecodable(f"not an LZ4 block of {size} bytes: {error}") from error


def _zlib_stream(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        # One byte more than declared is enough to see that there is more.
        whole = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise Undecodable(f"not a zlib stream: {error}") from error
    if len(whole) <= size and (not stream.eof or stream.unused_data):
        raise Undecodable("the zlib stream is cut short or followed by other bytes")
    return whole


def _zstd_frame(data: bytes, size: int) -> bytes:
    frame = ZstdDecompressor().decompressobj()
    try:
        content = frame_content_size(data)
        if content > size:
            raise Undecodable(f"the zstd frame declares {content} bytes instead of {size}")
        whole: bytes = frame.decompress(data)
    except ZstdError as error:
        raise Undecodable(f"not a zstd frame: {error}") from error
    if not frame.eof or frame.unused_data:
        raise Undecodable("the zstd frame is cut short or followed by other bytes")
    return whole


DECOMPRESS: dict[str, Callable[[bytes, int], bytes]] = {
    "": lambda data, _: data,
    "lz4": _lz4_block,
    "deflate": _zlib_stream,
    **({"zstd": _zstd_frame} if HAS_ZSTD else {}),
}


def decompress(data: bytes, compress_type: str, size: int) -> bytes:
    """Return the body before compression, ``size`` bytes; raises ``Undecodable``, KeyError for an unknown type."""
    whole = DECOMPRESS[compress_type](data, size)
    if len(whole) != size:
        raise Undecodable(f"the body holds {len(whole)} bytes, x-log-bodyrawsize says {size}")
    return whole
