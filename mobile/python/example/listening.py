"""A listener without a player: it joins a stream, carries it for others, and is paid."""

from antiphon import Antiphon, StreamView
from wallet import until


async def listen(client: Antiphon, url: str) -> StreamView:
    """Joins a stream, and returns it when the first of it is here."""
    await client.listen(url)
    return await until(client, lambda shown: shown.delivery.cached and shown.stream)


async def promise(client: Antiphon) -> None:
    """Waits until the pool that pays has promised something to who carries the stream."""
    await until(client, lambda shown: shown.wallet.pool and shown.wallet.pool.promised)


async def earn(client: Antiphon) -> None:
    """Waits for vouchers, settles them, and waits for the chain to say so."""
    await until(client, lambda shown: shown.wallet.vouchers_in)
    await client.settle()
    await until(client, lambda shown: [one for one in shown.wallet.settlements if one.level])
