"""Money events: what comes without a call is told until it is handled, whenever the application ends."""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import antiphon
from antiphon import CallKind, CallStage, ConnectOptions, Words

ROOT = pathlib.Path(__file__).parents[3]
NODE = os.environ.get("ANTIPHON") or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/antiphon"
WORDS = b"legal winner thank year wave sausage worth useful legal winner thank yellow"

# An application that is killed when it has heard of an event, and before it says that it has handled it.
APPLICATION = """
import asyncio, os, sys
import antiphon
from antiphon import ConnectOptions, Words

async def main(node, chain, folder, words):
    client = await antiphon.connect(ConnectOptions(node=node, chain=chain, folder=folder), Words.restore(words.encode()).account(0))
    while client.snapshot().wallet.account is None:
        await asyncio.sleep(0.1)
    await client.ask_faucet()
    event = await client.next_event()
    print(event.id, event.call.key, flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main(*sys.argv[1:]))
"""


class Events(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        words = [NODE, "dev", "--block-time", "100ms", "--data", os.path.join(self.folder.name, "chain")]
        self.node = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = json.loads(self.node.stdout.readline())
        self.wallet = os.path.join(self.folder.name, "wallet")
        os.mkdir(self.wallet)

    def tearDown(self) -> None:
        self.node.terminate()
        self.node.wait()
        self.node.stdout.close()
        self.folder.cleanup()

    async def open(self) -> antiphon.Antiphon:
        options = ConnectOptions(node=self.ready["base"], chain=self.ready["chain"], folder=self.wallet)
        return await antiphon.connect(options, Words.restore(WORDS).account(0))

    async def test_what_somebody_sends_is_told_until_it_is_handled(self) -> None:
        told = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", APPLICATION, self.ready["base"], self.ready["chain"], self.wallet, WORDS.decode()],
            capture_output=True, text=True, timeout=120,
        )
        self.assertEqual(told.returncode, -9, told.stderr)
        number, key = told.stdout.split()
        client = await self.open()
        event = await asyncio.wait_for(client.next_event(), 60)
        self.assertEqual((event.call.key, event.call.kind), (key, CallKind.RECEIVED))
        self.assertEqual(event.call.amount, antiphon.parse_amount("100"))
        self.assertEqual(event.call.payer, self.ready["faucet"])
        while event.call.stage != CallStage.FINAL:
            self.assertEqual((event.id, event.call.stage), (int(number), CallStage.SETTLED), "one number for one change")
            await client.event_handled(event.id)
            event = await asyncio.wait_for(client.next_event(), 60)
            number = event.id
        self.assertEqual(event.call.key, key)
        await client.event_handled(event.id)
        await client.shut_down()
        client = await self.open()
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(client.next_event(), 3)
        self.assertEqual(await client.calls(), [], "no call was made")
        await client.shut_down()
