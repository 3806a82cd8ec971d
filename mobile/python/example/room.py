"""A payment field of those who are in one room."""

from antiphon import Antiphon, CallView, FieldPhase, FieldView
from wallet import until


async def enter(client: Antiphon, name: str) -> int:
    """Enters, and returns how many others are there."""
    await client.enter_room(name)
    return len(await until(client, lambda shown: shown.around))


async def propose(client: Antiphon, deposit: int) -> None:
    await client.propose_field([one.peer for one in client.snapshot().around], deposit)


async def field_in(client: Antiphon, phase: FieldPhase) -> FieldView:
    return (await until(client, lambda shown: [field for field in shown.fields if field.phase == phase]))[0]


async def accept(client: Antiphon) -> None:
    await client.accept_field((await field_in(client, FieldPhase.INVITED)).field)


async def pay(client: Antiphon, key: str, amount: int) -> CallView:
    """Pays somebody else in the field, once a key."""
    field, me = await field_in(client, FieldPhase.OPEN), client.snapshot().wallet.address
    other = next(member.address for member in field.members if member.address != me)
    return await client.pay_member(key, field.field, other, amount)
