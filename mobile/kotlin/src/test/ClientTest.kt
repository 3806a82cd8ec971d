import io.antiphon.*
import java.math.BigInteger
import java.nio.ByteBuffer
import kotlin.test.*
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

private const val WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"

/** What a Kotlin developer meets beside the scenario. */
class ClientTest {
    private class Locked : SecretStore {
        override fun get(name: String): ByteArray? = error("the secret is 42")
        override fun put(name: String, secret: ByteArray) = Unit
        override fun delete(name: String) = Unit
    }

    @Test
    fun eachMistakeHasItsCode() {
        for ((code, make) in listOf<Pair<String, () -> Any>>(
            "wallet/bad-word-count" to { restore("legal winner") },
            "wallet/bad-checksum" to { restore(WORDS.replace("yellow", "winner")) },
            "wallet/unknown-word" to { restore(WORDS.replace("yellow", "yelow")) },
            "wallet/index-out-of-range" to { restore(WORDS).account(UInt.MAX_VALUE) },
            "amount/not-decimal" to { parseAmount("-1") },
            "amount/too-precise" to { parseAmount("0.123456789") },
            "amount/out-of-range" to { parseAmount("3402823669209384634633746074317.68211456") },
        )) {
            val error = assertFailsWith<AntiphonException> { make() }
            assertEquals(code, error.code())
            assertTrue(error.text().endsWith("."))
        }
    }

    @Test
    fun amountsAreIntegers() {
        assertEquals(BigInteger("1250000000"), parseAmount("12.5"))
        assertEquals("12.5", formatAmount(BigInteger("1250000000")))
    }

    @Test
    fun whatAStoreThrowsIsNotRepeated() {
        val error = assertFailsWith<AntiphonException> { Words.load(Locked(), "main") }
        assertEquals("secret/failed", error.code())
        assertFalse("42" in error.toString())
    }

    @Test
    fun whatIsNoBackupIsRefusedAndOfAClosedClientNothingIsToBeHad() = runBlocking<Unit> {
        val client = alone()
        for ((code, ask) in listOf<Pair<String, suspend () -> Any>>(
            "backup/not-backup" to { client.restoreBackup("nothing".toByteArray()) },
            "backup/newer" to { client.restoreBackup("antiphon backup".toByteArray() + 2) },
            "backup/damaged" to { client.restoreBackup("antiphon backup".toByteArray() + 1) },
            "backup/too-large" to { client.backup(ByteArray(200_000)) },
            // Whose chain nobody has proven yet.
            "lookup/not-ready" to { client.findOwnPools() },
            "client/not-ready" to { client.release() },
        )) {
            assertEquals(code, assertFailsWith<AntiphonException>(code) { ask() }.code())
        }
        val notes = "where the letters lie".toByteArray()
        val file = client.backup(notes)
        assertContentEquals(notes, client.restoreBackup(file))
        assertContentEquals(notes, client.restoreBackup(file), "the same twice")
        val other = alone(1u)
        assertEquals("backup/other-account", assertFailsWith<AntiphonException> { other.restoreBackup(file) }.code())
        other.shutDown()

        client.shutDown()
        for (ask in listOf<suspend () -> Any>(
            { client.backup(notes) },
            { client.restoreBackup(file) },
            { client.findOwnPools() },
            { client.release() },
        )) {
            assertEquals("client/closed", assertFailsWith<AntiphonException> { ask() }.code())
        }
    }

    @Test
    fun aCallThatIsCancelledLeavesTheClientUsable() = runBlocking {
        val client = alone()
        client.suspend()
        val trouble = async(start = CoroutineStart.UNDISPATCHED) {
            client.eventFlow().first { it is AntiphonEvent.Trouble } as AntiphonEvent.Trouble
        }
        client.resume()
        assertEquals("node/unreachable", trouble.await().code)
        assertNull(withTimeoutOrNull(100) { client.nextEvent() })
        assertNull(withTimeoutOrNull(100) { client.moneyFlow().first() })
        for (amount in listOf(BigInteger.ONE.negate(), BigInteger.ONE.shiftLeft(128))) {
            assertEquals("options/invalid", assertFailsWith<AntiphonException> { client.openPool("key", amount) }.code())
        }
        assertEquals(emptyList(), client.calls())
        client.shutDown()
        assertEquals("client/closed", assertFailsWith<AntiphonException> { client.resume() }.code())
    }

    @Test
    fun itGivesWhatWasAgreedToAndSaysWhyNotMore() = runBlocking {
        val client = alone()
        for ((terms, why) in listOf(
            UploadTerms(monthly = 1uL shl 20) to SharingReason.AGREED,
            UploadTerms(monthly = 1uL) to SharingReason.SPENT,
            UploadTerms(isEnabled = false) to SharingReason.DECLINED,
        )) {
            client.setUpload(terms)
            client.untilShared { it.why == why && it.monthly == terms.monthly }
            val sharing = client.snapshot().sharing
            assertEquals((why == SharingReason.AGREED) to 0uL, sharing.isOn to sharing.monthBytes)
        }
        client.setUpload(UploadTerms())
        client.setSurroundings(Surroundings(isMetered = true))
        client.untilShared { it.why == SharingReason.METERED }
        client.shutDown()
    }

    @Test
    fun aPlayerIsToldWhatNobodyKnowsAndLetGo() = runBlocking {
        val client = alone()
        val media = client.media()
        assertEquals("fetch/unknown-segment", assertFailsWith<AntiphonException> { media.segment(7uL, 1000uL) }.code())
        media.cancel()
        assertNull(media.segment(7uL, 1000uL))
        assertNull(media.check(7uL, ByteArray(1)))
        client.shutDown()
        assertEquals("client/closed", assertFailsWith<AntiphonException> { client.media().segment(7uL, 1000uL) }.code())
    }

    @Test
    fun optionsOutOfRangeAreNamed() = runBlocking {
        for ((field, wrong) in listOf<Pair<String, (ConnectOptions) -> Unit>>(
            "max_peers" to { it.maxPeers = 0u },
            "max_peers" to { it.maxPeers = 101u },
            "relay_only" to { it.relayOnly = true },
        )) {
            val error = assertFailsWith<AntiphonException.Invalid> { alone(change = wrong) }
            assertEquals("options/invalid" to field, error.code() to error.field)
        }
    }

    private suspend fun Antiphon.untilShared(isSo: (SharingView) -> Boolean) = withTimeout(30_000) {
        while (!isSo(snapshot().sharing)) delay(50)
    }

    /** A client that reaches nobody. */
    private suspend fun alone(account: UInt = 0u, change: (ConnectOptions) -> Unit = {}): Antiphon {
        val options = ConnectOptions("http://127.0.0.1:1", "07".repeat(32), kotlin.io.path.createTempDirectory().toString())
        change(options)
        return connect(options, restore(WORDS).account(account))
    }

    private fun restore(text: String): Words {
        val bytes = text.toByteArray()
        return Words.restore(ByteBuffer.allocateDirect(bytes.size).put(bytes).apply { flip() })
    }
}
