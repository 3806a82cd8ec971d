"""What a Python developer meets beside the scenario: wrong input, secrets, cancelled calls, no network."""

import asyncio
import tempfile
import unittest

import antiphon
from antiphon import AntiphonError, ConnectOptions, Words

WORDS = b"legal winner thank year wave sausage worth useful legal winner thank yellow"
CHAIN = "07" * 32


class Memory(antiphon.SecretStore):
    def __init__(self) -> None:
        self.kept = {}

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.kept[name] = secret

    def delete(self, name: str) -> None:
        del self.kept[name]


class Locked(Memory):
    def get(self, name: str) -> bytes | None:
        raise RuntimeError("the secret is 42")


class Texts(unittest.TestCase):
    def test_words_give_the_account_that_every_language_gives(self) -> None:
        self.assertEqual(Words.restore(WORDS).account(0).address(), Words.restore(WORDS.upper()).account(0).address())
        self.assertNotEqual(Words.restore(WORDS).account(0).address(), Words.restore(WORDS).account(1).address())

    def test_each_mistake_has_its_code(self) -> None:
        for make, code in [
            (lambda: Words.restore(b"legal winner"), "wallet/bad-word-count"),
            (lambda: Words.restore(WORDS.replace(b"yellow", b"winner")), "wallet/bad-checksum"),
            (lambda: Words.restore(WORDS.replace(b"yellow", b"yelow")), "wallet/unknown-word"),
            (lambda: Words.restore(b"\xff"), "options/invalid"),
            (lambda: Words.restore(WORDS).account(2**31), "wallet/index-out-of-range"),
            (lambda: antiphon.parse_amount("1,5"), "amount/not-decimal"),
            (lambda: antiphon.parse_amount("0.123456789"), "amount/too-precise"),
            (lambda: antiphon.parse_amount("3402823669209384634633746074317.68211456"), "amount/out-of-range"),
        ]:
            with self.assertRaises(AntiphonError) as raised:
                make()
            self.assertEqual(raised.exception.code(), code)
            self.assertTrue(raised.exception.text().endswith("."))

    def test_amounts_are_integers(self) -> None:
        self.assertEqual(antiphon.parse_amount("12.5"), 1_250_000_000)
        self.assertEqual(antiphon.format_amount(2**128 - 1), "3402823669209384634633746074317.68211455")


class Secrets(unittest.TestCase):
    def test_words_are_kept_once_and_found_again(self) -> None:
        store, words = Memory(), Words.generate()
        words.save(store, "main")
        self.assertEqual(Words.load(store, "main").reveal(), words.reveal())
        with self.assertRaises(AntiphonError) as raised:
            Words.generate().save(store, "main")
        self.assertEqual(raised.exception.code(), "secret/taken")

    def test_what_a_store_throws_is_not_repeated(self) -> None:
        with self.assertRaises(AntiphonError) as raised:
            Words.load(Locked(), "main")
        self.assertEqual(raised.exception.code(), "secret/failed")
        self.assertTrue(raised.exception.is_retryable())
        self.assertNotIn("42", str(raised.exception))
        self.assertNotIn("legal", repr(Words.restore(WORDS)))


class Alone(unittest.IsolatedAsyncioTestCase):
    """A client that reaches nobody."""

    async def asyncSetUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        options = ConnectOptions(node="http://127.0.0.1:1", chain=CHAIN, folder=self.folder.name)
        self.client = await antiphon.connect(options, Words.restore(WORDS).account(0))

    async def asyncTearDown(self) -> None:
        await self.client.shut_down()
        self.folder.cleanup()

    async def test_it_says_what_is_down_and_refuses_what_needs_the_chain(self) -> None:
        await self.client.suspend()
        waking = asyncio.create_task(asyncio.sleep(0.05))
        waking.add_done_callback(lambda _: asyncio.ensure_future(self.client.resume()))
        async for event in antiphon.events(self.client):
            if event.is_trouble() and event.code == "node/unreachable":
                break
        with self.assertRaises(AntiphonError) as raised:
            await self.client.transfer("key", Words.restore(WORDS).account(1).address(), 1, antiphon.Token.OPERATIONAL)
        self.assertEqual(raised.exception.code(), "client/not-ready")
        self.assertTrue(raised.exception.is_retryable())
        self.assertEqual(await self.client.calls(), [], "a call that was refused is forgotten")

    async def test_a_call_that_is_cancelled_leaves_the_client_usable(self) -> None:
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(self.client.next_event(), 0.1)
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(antiphon.money_events(self.client)), 0.1)
        self.assertEqual(await self.client.calls(), [])

    async def test_what_is_no_backup_is_refused_and_its_own_is_taken_twice(self) -> None:
        kind = b"antiphon backup"
        for call, code in [
            (self.client.restore_backup(b"nothing"), "backup/not-backup"),
            (self.client.restore_backup(kind + b"\2"), "backup/newer"),
            (self.client.restore_backup(kind + b"\1"), "backup/damaged"),
            (self.client.backup(bytes(200_000)), "backup/too-large"),
            # Whose chain nobody has proven yet.
            (self.client.find_own_pools(), "lookup/not-ready"),
            (self.client.release(), "client/not-ready"),
        ]:
            with self.assertRaises(AntiphonError) as raised:
                await call
            self.assertEqual(raised.exception.code(), code)
        file = await self.client.backup(b"where the letters lie")
        for _ in range(2):
            self.assertEqual(await self.client.restore_backup(file), b"where the letters lie")

    async def test_it_gives_what_was_agreed_to_and_says_why_not_more(self) -> None:
        for terms, why in [
            (antiphon.UploadTerms(monthly=1 << 20), antiphon.SharingReason.AGREED),
            (antiphon.UploadTerms(monthly=1), antiphon.SharingReason.SPENT),
            (antiphon.UploadTerms(is_enabled=False), antiphon.SharingReason.DECLINED),
        ]:
            await self.client.set_upload(terms)
            while True:
                sharing = self.client.snapshot().sharing
                if (sharing.why, sharing.monthly) == (why, terms.monthly):
                    break
                await asyncio.sleep(0.05)
            self.assertEqual((sharing.is_on, sharing.month_bytes), (why == antiphon.SharingReason.AGREED, 0))

    async def test_a_player_is_told_what_nobody_knows_and_let_go(self) -> None:
        media = self.client.media()
        with self.assertRaises(AntiphonError) as raised:
            await media.segment(7, 1000)
        self.assertEqual(raised.exception.code(), "fetch/unknown-segment")
        media.cancel()
        self.assertIsNone(await media.segment(7, 1000))

    async def test_options_out_of_range_are_named(self) -> None:
        for wrong in [{"max_peers": 0}, {"max_peers": 101}, {"relay_only": True}]:
            options = ConnectOptions(node="http://127.0.0.1:1", chain=CHAIN, folder=self.folder.name, **wrong)
            with self.assertRaises(AntiphonError) as raised:
                await antiphon.connect(options, Words.restore(WORDS).account(0))
            self.assertEqual((raised.exception.code(), raised.exception.field), ("options/invalid", next(iter(wrong))))

    async def test_wrong_input_is_named(self) -> None:
        for call, code in [
            (self.client.transfer("key", "Axx", 1, antiphon.Token.OPERATIONAL), "address/wrong-length"),
            (self.client.open_pool("", 1), "options/invalid"),
            (self.client.open_pool("k" * 65, 1), "options/invalid"),
            (self.client.open_pool("key", -1), "options/invalid"),
            (self.client.open_pool("key", 2**128), "options/invalid"),
            (self.client.accept_field("07"), "options/invalid"),
            (self.client.listen("ftp://x"), "options/invalid"),
            (self.client.call("nothing"), "call/unknown-key"),
        ]:
            with self.assertRaises(AntiphonError) as raised:
                await call
            self.assertEqual(raised.exception.code(), code)

    async def test_after_its_end_it_is_closed(self) -> None:
        stream = self.client.events()
        await self.client.shut_down()
        while await stream.next() is not None:
            pass
        for call in [self.client.ask_faucet(), self.client.resume(), self.client.backup(b""), self.client.find_own_pools(), self.client.release()]:
            with self.assertRaises(AntiphonError) as raised:
                await call
            self.assertEqual(raised.exception.code(), "client/closed")


if __name__ == "__main__":
    unittest.main()
