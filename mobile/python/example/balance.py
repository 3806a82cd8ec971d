"""A proven balance: `python balance.py NODE CHAIN ADDRESS`. The chain's id is all that is trusted."""

import asyncio
import sys
import tempfile

import antiphon
from antiphon import AntiphonError, ConnectOptions, Level, Words


async def main(node: str, chain: str, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client = await antiphon.connect(ConnectOptions(node=node, chain=chain, folder=folder), Words.generate().account(0))
        while True:
            try:
                found = await client.find_account(address, Level.FINAL)
                break
            except AntiphonError as error:
                if not error.is_retryable():
                    raise
                await asyncio.sleep(0.2)  # Such as `lookup/not-ready`: no head is proven yet.
        print(f"{antiphon.format_amount(found.operational)} at block {found.proven.height}, final")
        await client.shut_down()


asyncio.run(main(*sys.argv[1:]))
