"""A client of Antiphon: proven balances, payments, and live streams that listeners carry for each other.

What is in here comes from Rust and is named as in every other language; only the iterators are Python's own.
"""

from collections.abc import AsyncIterator

from .antiphon import *  # noqa: F403
from .antiphon import Antiphon, AntiphonEvent, MoneyEvent


async def events(client: Antiphon) -> AsyncIterator[AntiphonEvent]:
    """Yields every event from now on. A slow reader gets a `LAGGED` event instead of what it missed."""
    stream = client.events()
    try:
        while (event := await stream.next()) is not None:
            yield event
    finally:
        stream.cancel()


async def money_events(client: Antiphon) -> AsyncIterator[MoneyEvent]:
    """Yields each change of a call that moves money until it is handled: when the next one is asked for, this one is."""
    stream = client.money()
    try:
        while (event := await stream.next()) is not None:
            yield event
            await client.event_handled(event.id)
    finally:
        stream.cancel()
