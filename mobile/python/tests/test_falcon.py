"""Accounts of Falcon keys, and safety numbers, against a network of its own."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.request

import antiphon
from antiphon import AntiphonError, Token, Words

ROOT = pathlib.Path(__file__).parents[3]
NODE = os.environ.get("ANTIPHON") or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/antiphon"
WORDS = b"abandon " * 11 + b"about"


class Falcon(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        words = [NODE, "dev", "--block-time", "100ms", "--data", os.path.join(self.folder.name, "chain")]
        self.node = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self.node.stdout.readline())
        self.place = (ready["base"], ready["chain"])

    def tearDown(self) -> None:
        self.node.terminate()
        self.node.wait()
        self.node.stdout.close()
        self.folder.cleanup()

    def faucet(self, to: str) -> None:
        call = {"jsonrpc": "2.0", "id": 1, "method": "antiphon_faucet", "params": [to]}
        asked = urllib.request.Request(self.place[0] + "/rpc", json.dumps(call).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            self.assertIn("result", json.load(answer))

    async def refused(self, code: str, call) -> None:
        with self.assertRaises(AntiphonError) as caught:
            await call
        self.assertEqual(caught.exception.code(), code)

    async def test_everything_moves_to_a_falcon_account_which_sends_once_by_a_sequence(self) -> None:
        words = Words.generate()
        old, new = words.account(0), words.falcon_account(0)
        self.assertTrue(old.address().startswith("A") and new.address().startswith("F"))
        await self.refused("wallet/insufficient", old.send_all_to_falcon(*self.place, new.address()))
        self.faucet(old.address())
        while True:
            try:
                moved = await old.send_all_to_falcon(*self.place, new.address())
                break
            except AntiphonError as error:
                self.assertEqual(error.code(), "wallet/insufficient")
        self.assertEqual((moved.operational, moved.staking, moved.address), (0, 0, old.address()))
        await self.refused("address/not-falcon", old.send_all_to_falcon(*self.place, old.address()))

        found = await new.find(*self.place)
        self.assertEqual((found.address, found.sequence), (new.address(), 0))
        self.assertGreater(found.operational, 0)
        paid = await new.send(*self.place, 1, old.address(), 1000, Token.OPERATIONAL)
        self.assertEqual(paid.sequence, 1)
        self.assertLess(paid.operational, found.operational - 1000)
        await self.refused("wallet/other-sequence", new.send(*self.place, 1, old.address(), 1000, Token.OPERATIONAL))
        await self.refused("wallet/other-sequence", new.send(*self.place, 3, old.address(), 1000, Token.OPERATIONAL))
        await self.refused("wallet/insufficient", new.send(*self.place, 2, old.address(), found.operational, Token.OPERATIONAL))
        await self.refused("node/unreachable", new.find("http://127.0.0.1:1", self.place[1]))


class Same(unittest.TestCase):
    def test_the_same_words_are_the_same_account_in_every_language(self) -> None:
        self.assertEqual(Words.restore(WORDS).falcon_account(0).address(), "F7p2zR4aJmX33Lu9297446Wz3uRmQ6Z2c5")
        with self.assertRaises(AntiphonError) as caught:
            Words.restore(WORDS).falcon_account(1 << 31)
        self.assertEqual(caught.exception.code(), "wallet/index-out-of-range")

    def test_two_people_read_the_same_number_and_a_camera_tells_what_differs(self) -> None:
        ann, bob, eve = (Words.generate().account(0).key() for _ in range(3))
        number = antiphon.safety_number(ann, bob)
        self.assertRegex(number, r"^\d{60}$")
        self.assertEqual(antiphon.safety_number(bob, ann), number)
        shown = antiphon.safety_code(bob, ann)
        antiphon.check_safety_code(ann, bob, shown)
        for own, other, code in [(ann, eve, "safety/other-people"), (ann, bob[1:], "safety/bad-key")]:
            with self.assertRaises(AntiphonError) as caught:
                antiphon.check_safety_code(own, other, shown)
            self.assertEqual(caught.exception.code(), code)


if __name__ == "__main__":
    unittest.main()
