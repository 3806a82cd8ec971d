"""Words that are kept, the client of their account, and money that moves once."""

import asyncio
from collections.abc import Callable
from typing import Any

import antiphon
from antiphon import Antiphon, CallKind, CallStage, CallView, ConnectOptions, GiftStage, GiftView, Level, SecretStore, Snapshot, Token, Words


class Wallet:
    def __init__(self, store: SecretStore, options: ConnectOptions) -> None:
        self.store = store
        self.options = options
        self.client: Antiphon | None = None

    def keep(self, words: Words) -> str:
        """Keeps words, and returns the address of their first account."""
        words.save(self.store, "main")
        return words.account(0).address()

    async def open(self) -> None:
        """Starts a client of the account, and waits for what the chain proves of it."""
        self.client = await antiphon.connect(self.options, Words.load(self.store, "main").account(0))
        await until(self.client, lambda shown: shown.wallet.account)


async def until(client: Antiphon, ready: Callable[[Snapshot], Any]) -> Any:
    """Waits for something in what a client shows."""
    while not (found := ready(client.snapshot())):
        await asyncio.sleep(0.1)
    return found


async def receive(client: Antiphon) -> int:
    """Asks for play money, and returns what there is then."""
    await client.ask_faucet()
    return await until(client, lambda shown: shown.wallet.account and shown.wallet.account.balance.value)


async def final_balance(client: Antiphon) -> int:
    address = await until(client, lambda shown: shown.wallet.address)
    return (await client.find_account(address, Level.FINAL)).operational


async def send(client: Antiphon, key: str, to: str, amount: str) -> CallView:
    """Pays once, however often it is called with this key."""
    return await client.transfer(key, to, antiphon.parse_amount(amount), Token.OPERATIONAL)


async def give_up(client: Antiphon, key: str, to: str, amount: str) -> None:
    """Gives up at once; the call itself goes on."""
    call = asyncio.ensure_future(send(client, key, to, amount))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def reach(client: Antiphon, key: str, stage: str) -> str | None:
    """Waits until a call is so far, and returns none, or the code of what it failed with."""
    while (call := await client.call(key)).stage.value < CallStage[stage.upper()].value:
        await asyncio.sleep(0.1)
    return call.code


async def hear_of(client: Antiphon, key: str) -> None:
    """Reads what becomes of calls until this one is final."""
    async for event in antiphon.money_events(client):
        if event.call.key == key and event.call.stage == CallStage.FINAL:
            return


async def came(client: Antiphon, payer: str) -> int:
    """Waits until the chain shows that somebody has sent something, and returns how much."""
    async for event in antiphon.money_events(client):
        if event.call.kind == CallKind.RECEIVED and event.call.payer == payer:
            return event.call.amount


async def gift_at(client: Antiphon, stage: str) -> GiftView:
    """Waits for a gift that is so far."""
    reached = range(GiftStage[stage.upper()].value, GiftStage.FINAL.value + 1)
    gifts = await until(client, lambda shown: [gift for gift in shown.gifts if gift.stage.value in reached])
    return gifts[0]
