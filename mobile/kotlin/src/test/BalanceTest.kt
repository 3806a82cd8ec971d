import io.antiphon.*
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.math.BigInteger
import kotlin.test.*
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The shortest example against a network of its own: what the faucet of a development chain has is proven, from the chain's id alone. */
class BalanceTest {
    private val node = Node()

    @AfterTest
    fun stop() = node.stop()

    @Test
    fun aBalanceIsProven() = runBlocking {
        val found = provenBalance(node.base, node.chain, node.faucet)
        assertEquals(Level.FINAL, found.proven.level)
        assertTrue(found.operational > BigInteger.ZERO)
    }

    @Test
    fun aNodeThatDoesNotAnswerIsNamedWhileItIsWaitedFor() = runBlocking<Unit> {
        val (screen, said) = System.err to ByteArrayOutputStream()
        System.setErr(PrintStream(said))
        try {
            val waiting = launch { provenBalance("http://127.0.0.1:1", node.chain, node.faucet) }
            withTimeout(60_000) { while ("node/unreachable: Check the URL" !in said.toString()) delay(100) }
            assertTrue(waiting.isActive)
            waiting.cancelAndJoin()
        } finally {
            System.setErr(screen)
        }
    }

    @Test
    fun whatIsNoAddressIsNamed() = runBlocking<Unit> {
        val mistyped = "A" + node.faucet.drop(1).reversed()
        assertEquals("address/bad-checksum", assertFailsWith<AntiphonException> { provenBalance(node.base, node.chain, mistyped) }.code())
    }
}
