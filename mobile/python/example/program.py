"""A wallet for the command line: `python program.py FOLDER NODE CHAIN [TRACKER]`, then one command a line."""

import asyncio
import sys

import keeping
import listening
import room
import wallet
from antiphon import Antiphon, AntiphonError, CallView, ConnectOptions, Words, format_amount, parse_amount
from store import FileStore
from wallet import Wallet


class Program:
    """What each word does, given the words behind it."""

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet

    @property
    def client(self) -> Antiphon:
        return self.wallet.client

    async def create(self) -> str:
        return f"address {self.wallet.keep(Words.generate())}"

    async def restore(self, *words: str) -> str:
        return f"address {self.wallet.keep(Words.restore(' '.join(words).encode()))}"

    async def open(self) -> str:
        await self.wallet.open()
        return "open"

    async def faucet(self) -> str:
        return f"balance {format_amount(await wallet.receive(self.client))}"

    async def balance(self) -> str:
        return f"final {format_amount(await wallet.final_balance(self.client))}"

    async def came(self, payer: str) -> str:
        return f"came {format_amount(await wallet.came(self.client, payer))}"

    async def send(self, key: str, to: str, amount: str) -> str:
        return called(await wallet.send(self.client, key, to, amount))

    async def cancel(self, key: str, to: str, amount: str) -> str:
        await wallet.give_up(self.client, key, to, amount)
        return "cancelled"

    async def wait(self, key: str, stage: str) -> str:
        code = await wallet.reach(self.client, key, stage)
        return f"{key} failed {code}" if code else f"{key} {stage}"

    async def events(self, key: str) -> str:
        await wallet.hear_of(self.client, key)
        return f"told {key} final"

    async def give(self, key: str, to: str, amount: str, purpose: str) -> str:
        return called(await self.client.give(key, to, parse_amount(amount), purpose))

    async def gift(self, stage: str) -> str:
        gift = await wallet.gift_at(self.client, stage)
        return f"gift {format_amount(gift.amount)} {gift.purpose}"

    async def listen(self, url: str) -> str:
        return f"stream {(await listening.listen(self.client, url)).name}"

    async def pool(self, key: str, deposit: str) -> str:
        return called(await self.client.open_pool(key, parse_amount(deposit)))

    async def earn(self) -> str:
        await listening.earn(self.client)
        return "earned"

    async def promise(self) -> str:
        await listening.promise(self.client)
        return "promised"

    async def room(self, name: str) -> str:
        return f"around {await room.enter(self.client, name)}"

    async def propose(self, deposit: str) -> str:
        await room.propose(self.client, parse_amount(deposit))
        return "proposed"

    async def accept(self) -> str:
        await room.accept(self.client)
        return "accepted"

    async def pay(self, key: str, amount: str) -> str:
        return called(await room.pay(self.client, key, parse_amount(amount)))

    async def backup(self) -> str:
        return f"backup {await keeping.backup(self.client)}"

    async def take(self, file: str) -> str:
        await keeping.take(self.client, file)
        return "taken"

    async def locked(self) -> str:
        return " ".join(["locked", *keeping.locked(self.client)])

    async def find(self) -> str:
        return await keeping.find(self.client)

    async def release(self) -> str:
        await self.client.release()
        return "released"

    async def close(self) -> str:
        await self.client.shut_down()
        return "closed"

    async def suspend(self) -> str:
        await self.client.suspend()
        return "suspended"

    async def resume(self) -> str:
        await self.client.resume()
        return "resumed"


def called(call: CallView) -> str:
    return f"call {call.key}"


async def main(folder: str, node: str, chain: str, tracker: str | None = None) -> None:
    program = Program(Wallet(FileStore(folder), ConnectOptions(node=node, chain=chain, folder=folder, tracker=tracker)))
    while line := (await asyncio.to_thread(sys.stdin.readline)).split():
        try:
            print(await getattr(program, line[0])(*line[1:]), flush=True)
        except AntiphonError as error:
            print(f"error {error.code()}", flush=True)
    if program.client:
        await program.client.shut_down()


asyncio.run(main(*sys.argv[1:]))
