import io.antiphon.*
import java.math.BigInteger
import kotlin.test.*
import kotlinx.coroutines.runBlocking

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
    fun whatIsNoAddressIsNamed() = runBlocking<Unit> {
        val mistyped = "A" + node.faucet.drop(1).reversed()
        assertEquals("address/bad-checksum", assertFailsWith<AntiphonException> { provenBalance(node.base, node.chain, mistyped) }.code())
    }
}
