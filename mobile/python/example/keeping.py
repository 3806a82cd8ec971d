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
    return sorted(pool.freeze or "usable" for pool in client.snapshot().wallet.locked)


async def find(client: Antiphon) -> str:
    """Looks for pools of a lost device, and says how many hold money, and whether there may be more."""
    found = await client.find_own_pools()
    return f"found {len(found.pools)}{'' if found.is_whole else ' or more'}"
