"""What words do not bring back, as a file that another device takes."""

from base64 import b64decode, b64encode

from antiphon import Antiphon


async def backup(client: Antiphon) -> str:
    """Returns a backup as one word."""
    return b64encode(await client.backup(b"")).decode()


async def take(client: Antiphon, file: str) -> None:
    """Takes one that another device made."""
    await client.restore_backup(b64decode(file))


def locked(client: Antiphon) -> list[str]:
    """Says of each pool why nothing is signed for it, if so."""
    return [pool.freeze or "usable" for pool in client.snapshot().wallet.locked]
