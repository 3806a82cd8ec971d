"""A wallet for the command line: `python wallet.py FOLDER NODE CHAIN [TRACKER]`, then one command a line; `help` lists them."""

import asyncio
import os
import sys

import antiphon
from antiphon import AntiphonError, CallStage, ConnectOptions, Token, Words


class FileStore(antiphon.SecretStore):
    """Keeps secrets in files that only their owner reads. A device has something better."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name + ".secret")

    def get(self, name: str) -> bytes | None:
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def put(self, name: str, secret: bytes) -> None:
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)

    def delete(self, name: str) -> None:
        os.remove(self.path(name))


class Wallet:
    def __init__(self, folder: str, node: str, chain: str, tracker: str | None = None) -> None:
        self.store = FileStore(folder)
        self.options = ConnectOptions(node=node, chain=chain, folder=folder, tracker=tracker)
        self.client: antiphon.Antiphon = None

    async def create(self) -> str:
        return self.keep(Words.generate())

    async def restore(self, *words: str) -> str:
        return self.keep(Words.restore(" ".join(words).encode()))

    def keep(self, words: Words) -> str:
        words.save(self.store, "main")
        return f"address {words.account(0).address()}"

    async def open(self) -> str:
        self.client = await antiphon.connect(self.options, Words.load(self.store, "main").account(0))
        await self.until(lambda shown: shown.wallet.account)
        return "open"

    async def until(self, ready):
        while not (found := ready(self.client.snapshot())):
            await asyncio.sleep(0.1)
        return found

    async def faucet(self) -> str:
        await self.client.ask_faucet()
        account = await self.until(lambda shown: shown.wallet.account.balance.value and shown.wallet.account)
        return f"balance {antiphon.format_amount(account.balance.value)}"

    async def balance(self) -> str:
        address = self.client.snapshot().wallet.address
        found = await self.client.find_account(address, antiphon.Level.FINAL)
        return f"final {antiphon.format_amount(found.operational)}"

    async def send(self, key: str, to: str, amount: str) -> str:
        call = await self.client.transfer(key, to, antiphon.parse_amount(amount), Token.OPERATIONAL)
        return f"call {call.key}"

    async def cancel(self, key: str, to: str, amount: str) -> str:
        call = asyncio.ensure_future(self.send(key, to, amount))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return "cancelled"

    async def wait(self, key: str, stage: str) -> str:
        while (call := await self.client.call(key)).stage.value < CallStage[stage.upper()].value:
            await asyncio.sleep(0.1)
        return f"{key} failed {call.code}" if call.code else f"{key} {stage}"

    async def events(self, key: str) -> str:
        async for event in antiphon.money_events(self.client):
            if event.call.key == key and event.call.stage == CallStage.FINAL:
                return f"told {key} final"

    async def give(self, key: str, to: str, amount: str, purpose: str) -> str:
        call = await self.client.give(key, to, antiphon.parse_amount(amount), purpose)
        return f"call {call.key}"

    async def gift(self, stage: str) -> str:
        gifts = await self.until(lambda shown: [g for g in shown.gifts if g.stage.name == stage.upper()])
        return f"gift {antiphon.format_amount(gifts[0].amount)} {gifts[0].purpose}"

    async def listen(self, url: str) -> str:
        await self.client.listen(url)
        stream = await self.until(lambda shown: shown.delivery.cached and shown.stream)
        return f"stream {stream.name}"

    async def pool(self, key: str, deposit: str) -> str:
        call = await self.client.open_pool(key, antiphon.parse_amount(deposit))
        return f"call {call.key}"

    async def earn(self) -> str:
        await self.until(lambda shown: shown.wallet.vouchers_in)
        await self.client.settle()
        await self.until(lambda shown: [s for s in shown.wallet.settlements if s.level])
        return "earned"

    async def room(self, name: str) -> str:
        await self.client.enter_room(name)
        return f"around {len(await self.until(lambda shown: shown.around))}"

    async def propose(self, deposit: str) -> str:
        others = [one.peer for one in self.client.snapshot().around]
        await self.client.propose_field(others, antiphon.parse_amount(deposit))
        return "proposed"

    async def accept(self) -> str:
        phase = antiphon.FieldPhase.INVITED
        field = (await self.until(lambda shown: [f for f in shown.fields if f.phase == phase]))[0]
        await self.client.accept_field(field.field)
        return "accepted"

    async def pay(self, key: str, amount: str) -> str:
        phase = antiphon.FieldPhase.OPEN
        field = (await self.until(lambda shown: [f for f in shown.fields if f.phase == phase]))[0]
        me = self.client.snapshot().wallet.address
        other = next(member.address for member in field.members if member.address != me)
        call = await self.client.pay_member(key, field.field, other, antiphon.parse_amount(amount))
        return f"call {call.key}"

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


async def main() -> None:
    wallet = Wallet(*sys.argv[1:])
    while line := (await asyncio.to_thread(sys.stdin.readline)).split():
        try:
            print(await getattr(wallet, line[0])(*line[1:]), flush=True)
        except AntiphonError as error:
            print(f"error {error.code()}", flush=True)
    if wallet.client:
        await wallet.client.shut_down()


asyncio.run(main())
