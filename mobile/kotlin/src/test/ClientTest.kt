import io.antiphon.*
import java.math.BigInteger
import java.nio.ByteBuffer
import kotlin.test.*
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
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
            "wallet/unknown-word" to { restore(WORDS.replace("yellow", "yelow")) },
            "wallet/index-out-of-range" to { restore(WORDS).account(UInt.MAX_VALUE) },
            "amount/too-precise" to { parseAmount("0.123456789") },
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
    fun aCallThatIsCancelledLeavesTheClientUsable() = runBlocking {
        val folder = kotlin.io.path.createTempDirectory().toString()
        val options = ConnectOptions("http://127.0.0.1:1", "07".repeat(32), folder)
        val client = connect(options, restore(WORDS).account(0u))
        client.suspend()
        val trouble = async(start = CoroutineStart.UNDISPATCHED) {
            client.eventFlow().first { it is AntiphonEvent.Trouble } as AntiphonEvent.Trouble
        }
        client.resume()
        assertEquals("node/unreachable", trouble.await().code)
        assertNull(withTimeoutOrNull(100) { client.nextEvent() })
        val error = assertFailsWith<AntiphonException> { client.openPool("key", BigInteger.ONE.negate()) }
        assertEquals("options/invalid", error.code())
        assertEquals(emptyList(), client.calls())
        client.shutDown()
        assertEquals("client/closed", assertFailsWith<AntiphonException> { client.resume() }.code())
    }

    private fun restore(text: String): Words {
        val bytes = text.toByteArray()
        return Words.restore(ByteBuffer.allocateDirect(bytes.size).put(bytes).apply { flip() })
    }
}
