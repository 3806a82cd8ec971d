"""The shortest example against a network of its own: what the faucet of a development chain has is proven, from the chain's id alone."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[3]
NODE = os.environ.get("ANTIPHON") or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/antiphon"
EXAMPLE = ROOT / "mobile/python/example/balance.py"


class Balance(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        words = [NODE, "dev", "--block-time", "100ms", "--data", os.path.join(self.folder.name, "chain")]
        self.node = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = json.loads(self.node.stdout.readline())

    def tearDown(self) -> None:
        self.node.terminate()
        self.node.wait()
        self.node.stdout.close()
        self.folder.cleanup()

    def say(self, node: str, chain: str, address: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, EXAMPLE, node, chain, address], capture_output=True, text=True, timeout=120)

    def test_a_balance_is_proven(self) -> None:
        said = self.say(self.ready["base"], self.ready["chain"], self.ready["faucet"])
        self.assertRegex(said.stdout, r"^[1-9]\d* at block \d+, final\n$", said.stderr)

    def test_a_node_that_does_not_answer_is_named_while_it_is_waited_for(self) -> None:
        words = [sys.executable, EXAMPLE, "http://127.0.0.1:1", self.ready["chain"], self.ready["faucet"]]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as waiting:
            self.assertIn("node/unreachable: Check the URL", waiting.stderr.readline())
            self.assertIsNone(waiting.poll(), "it waits on")
            waiting.kill()

    def test_what_is_no_address_is_named(self) -> None:
        said = self.say(self.ready["base"], self.ready["chain"], "A" + self.ready["faucet"][:0:-1])
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("address/bad-checksum", said.stderr)
