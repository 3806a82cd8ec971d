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
                    sys.exit(f"{error.code()}: {error.text()}")
            # No head is proven yet: `lookup/not-ready`.
            for problem in client.snapshot().problems:
                print(f"{problem.code}: {antiphon.help_for(problem.code)}", file=sys.stderr)
            await asyncio.sleep(1)
        print(f"{antiphon.format_amount(found.operational)} at block {found.proven.height}, final")
        await client.shut_down()


asyncio.run(main(*sys.argv[1:]))
